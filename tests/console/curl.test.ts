import { execFile } from 'node:child_process';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  createConsoleHarness,
  enter,
  expectNoComplaints,
  missing,
  openChromium,
  type Visitor,
} from '../support/chromium.ts';
import { PASSWORD } from '../support/harness.ts';
import { plainPng } from '../support/pictures.ts';
import { temporaryDirectory } from '../support/service.ts';

if (missing !== undefined) test.skip(`what the console shows as curl: ${missing}`, () => {});

/* The commands below a page do what the page does. */

describe.skipIf(missing !== undefined)('a command of the console', () => {
  let h: Awaited<ReturnType<typeof createConsoleHarness>>;
  let chromium: Awaited<ReturnType<typeof openChromium>>;
  let visitor: Visitor;
  let directory: string;
  beforeAll(async () => {
    h = await createConsoleHarness();
    chromium = await openChromium(h.url);
    visitor = await chromium.visitor();
    directory = await temporaryDirectory();
    await writeFile(join(directory, 'picture.png'), plainPng(64, 64));
  });
  afterAll(async () => {
    expectNoComplaints(visitor);
    await chromium[Symbol.asyncDispose]();
    await h[Symbol.asyncDispose]();
    await rm(directory, { recursive: true, force: true });
  });

  /** The command for a call, as a page shows it. */
  async function commandOn(path: string, call: string): Promise<string> {
    const { page } = visitor;
    await page.goto(path);
    await page.getByText('Do this by HTTP').click();
    return (await page.locator('.by-http li').filter({ hasText: call }).locator('pre').textContent()) ?? '';
  }
  async function run(command: string, key = '') {
    const env = { PATH: process.env.PATH, TENANTRY_KEY: key };
    const { stdout } = await promisify(execFile)('bash', ['-c', `${command} -s`], { cwd: directory, env });
    return JSON.parse(stdout);
  }

  test('sets the picture of the organization of the page', async () => {
    const { id, owner } = await h.organization(); // another one is the active one
    const [{ slug } = { slug: '' }] = await h.sql`select slug from organizations where id = ${id}`;
    const { key } = await h.key(owner, { scope: 'user' });
    await enter(visitor, h.url, owner.cookie);
    const command = await commandOn(`/o/${slug}/settings`, 'organization.uploadAvatar');
    const { avatarUrl } = await run(command, key);
    expect((await owner.get('organization.one', { organizationId: id })).body.avatarUrl).toBe(avatarUrl);
  });

  test('signs in, and does with the cookie what no key can do', async () => {
    const { email, cookie } = await h.user();
    const filled = (command: string) =>
      command.replace('you@example.org', email).replaceAll('"…"', JSON.stringify(PASSWORD));
    await visitor.page.context().clearCookies();
    const signIn = await commandOn('/sign-in', 'auth/sign-in/email');
    expect(await run(filled(signIn))).toMatchObject({ user: { email } });
    await enter(visitor, h.url, cookie);
    const enable = await commandOn('/account/security', 'auth/two-factor/enable');
    expect(await run(filled(enable))).toMatchObject({ totpURI: expect.stringContaining('otpauth://') });
  });
});
