import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { simpleParser } from 'mailparser';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import {
  expectNoComplaints,
  fill,
  go,
  missing,
  openChromium,
  press,
  says,
  type Visitor,
} from '../support/chromium.ts';
import { httpCaller } from '../support/harness.ts';
import { type Service, startService, temporaryDirectory } from '../support/service.ts';

if (missing !== undefined) test.skip(`the console in a browser: ${missing}`, () => {});

const PASSWORD = 'Analytical-1';
const ADA = 'ada@example.org';

/* From the first start of a new installation to its audit log, as its people walk it. */

describe.skipIf(missing !== undefined)('the console', () => {
  let [directory, organizationUrl, apiKey] = ['', '', ''];
  let service: Service;
  let chromium: Awaited<ReturnType<typeof openChromium>>;
  let [root, ada]: [Visitor?, Visitor?] = [];
  beforeAll(async () => {
    directory = await temporaryDirectory();
    service = await startService({ DATA_DIR: directory });
    // The mails' links, and who may use a session, go by PUBLIC_URL.
    chromium = await openChromium(service.baseUrl.replace('127.0.0.1', 'localhost'));
    [root, ada] = [await chromium.visitor(), await chromium.visitor()];
  });
  afterAll(async () => {
    await chromium[Symbol.asyncDispose]();
    await service.end('SIGTERM');
    await rm(directory, { recursive: true, force: true });
  });
  const of = (visitor: Visitor | undefined): Page => {
    if (visitor === undefined) throw new Error('Nobody has opened the page.');
    return visitor.page;
  };

  /** The newest link in a mail to somebody, whose files are the only place that it is in. */
  const linkTo = (email: string, path: string): Promise<string> =>
    vi.waitFor(
      async () => {
        const mails = join(directory, 'mail');
        const files = existsSync(mails) ? await readdir(mails) : [];
        for (const file of files
          .filter((name) => name.endsWith('.eml'))
          .sort()
          .reverse()) {
          const { to, text = '' } = await simpleParser(await readFile(join(mails, file)));
          const link = new RegExp(`https?://\\S+/${path}\\?token=\\S+`).exec(text)?.[0];
          if ([to].flat().some((address) => address?.text === email) && link !== undefined) return link;
        }
        throw new Error(`no mail to ${email}`);
      },
      { timeout: 15_000, interval: 100 },
    );

  test('the first account is made on a page, and is the administrator’s', async () => {
    const page = of(root);
    await page.goto('/');
    await page.getByRole('link', { name: 'Create an account' }).click();
    await fill(page, { 'First name': 'Root', 'E-mail': 'root@example.org', Password: 'simplesimple' });
    await says(page, 'The password needs an upper-case letter, a digit, a symbol.'); // while it is typed
    await fill(page, { Password: PASSWORD });
    await press(page, 'Create account');
    await page.getByRole('heading', { level: 1, name: /organization/ }).waitFor();
    await page.getByRole('link', { name: 'Licenses' }).waitFor();

    await page.goto(await linkTo('root@example.org', 'verify-email'));
    await press(page, 'Confirm the address');
    await says(page, 'root@example.org is confirmed.');
    await page.getByRole('link', { name: 'To the console' }).click();
    await page.getByRole('heading', { level: 1, name: /organization/ }).waitFor();
    expect(await page.getByText('Confirm root@example.org').count()).toBe(0);
  });

  test('an organization is created under a handle that is free', async () => {
    const page = of(root);
    await page.goto('/organizations');
    await press(page, 'Create organization');
    const dialog = page.getByRole('dialog');
    await fill(page, { Name: 'Acme' });
    await dialog.getByLabel('Handle').fill('www.example.com');
    await says(page, /reserved/);
    await dialog.getByLabel('Handle').fill('acme.example.com');
    await says(page, 'Available');
    await dialog.getByRole('button', { name: 'Create organization' }).click();
    await page.getByRole('heading', { level: 1, name: 'Acme' }).waitFor();
    organizationUrl = new URL(page.url()).pathname;
  });

  test('who is invited by mail joins by its link', async () => {
    const page = of(root);
    await go(page, 'Members');
    await press(page, 'Invite people');
    await fill(page, { 'E-mail addresses': ADA });
    await page.getByRole('dialog').getByRole('button', { name: 'Invite people' }).click();
    await says(page, '1 person invited.');
    await go(page, 'Invitations');
    await says(page, ADA);

    const invited = of(ada);
    await invited.goto(await linkTo(ADA, 'invitation'));
    await invited.getByRole('heading', { name: 'Join Acme' }).waitFor();
    await fill(invited, { 'First name': 'Ada', 'Last name': 'Lovelace', Password: PASSWORD });
    await press(invited, 'Create account and join');
    await invited.getByRole('heading', { level: 1, name: 'Acme' }).waitFor();
    await says(invited, 'You are member');
    expect(await invited.getByRole('link', { name: 'Licenses' }).count()).toBe(0);
  });

  test('a role is changed, and holds at once', async () => {
    const page = of(root);
    await go(page, 'Members');
    await press(page, `Actions for ${ADA}`);
    await page.getByRole('menuitem', { name: 'Change role' }).click();
    await page.getByRole('dialog').getByLabel('Role').selectOption('admin');
    await press(page, 'Change role');
    await says(page, `${ADA} has another role now.`);
    await page
      .getByRole('row', { name: /Ada Lovelace/ })
      .getByText('admin')
      .waitFor();

    await of(ada).reload();
    await says(of(ada), 'You are admin');
  });

  test('an API key is shown once, and does by curl what the page does', async () => {
    const page = of(root);
    await go(page, 'API keys');
    await press(page, 'Create key');
    await fill(page, { Name: 'ci' });
    await page.getByRole('dialog').getByRole('button', { name: 'Create key' }).click();
    await says(page, 'This key is shown this once.');
    apiKey = (await page.getByRole('dialog').locator('.copyable code').textContent()) ?? '';
    await press(page, 'Done');
    await page.getByRole('row', { name: /ci/ }).waitFor();
    expect(await page.content()).not.toContain(apiKey);

    await go(page, 'Members');
    await page.getByText('Do this by HTTP').click();
    const commands = await page.locator('.by-http pre').allTextContents();
    const command = commands.find((text) => text.includes('/api/organization.members?')) ?? '';
    const { stdout } = await promisify(execFile)('bash', ['-c', `${command} -s`], {
      env: { PATH: process.env.PATH, TENANTRY_KEY: apiKey },
    });
    const { items } = JSON.parse(stdout) as { items: { role: string; user: { email: string } }[] };
    expect(items.map(({ role, user }) => [user.email, role])).toEqual([
      ['root@example.org', 'owner'],
      [ADA, 'admin'],
    ]);
  });

  test('a DNS record is checked while it is typed, and added', async () => {
    const page = of(ada);
    await go(page, 'DNS', 'DNS zones');
    await page.getByRole('link', { name: 'acme.example.com' }).click();
    await press(page, 'Add record');
    await fill(page, { Name: 'www', Content: '192.0.2.256' });
    await says(page, 'A: This is no IPv4 address.');
    const add = page.getByRole('dialog').getByRole('button', { name: 'Add record' });
    expect(await add.isDisabled()).toBe(true);
    await fill(page, { Content: '192.0.2.1' });
    await add.click();
    await says(page, 'The record is added.');
    await page.getByRole('row', { name: /www A 192\.0\.2\.1/ }).waitFor();
  });

  test('ages of a country are set, hold at once, and are forgotten', async () => {
    const page = of(root);
    await go(page, 'Rules', 'Rules of the installation');
    const rules = async () => (await httpCaller(service.baseUrl, {}).get('settings.get')).body;
    for (const [title, field, age] of [
      ['Minimum ages', 'minimumAges', 16],
      ['Adult ages', 'adultAges', 21],
    ] as const) {
      const section = page.locator('section', {
        has: page.getByRole('heading', { name: title, exact: true }),
      });
      await section.getByLabel('Country').selectOption({ label: 'Japan' });
      await section.getByLabel('Age in full years').fill(String(age));
      await section.getByRole('button', { name: 'Set' }).click();
      await section
        .getByRole('listitem')
        .filter({ hasText: `Japan ${age} years` })
        .waitFor();
      expect((await rules())[field]).toEqual({ JP: age });
      await section.getByRole('button', { name: /^Forget the .* age for Japan$/ }).click();
      await section.getByRole('listitem').waitFor({ state: 'detached' });
      expect((await rules())[field]).toEqual({});
    }
    const about = page.getByText('From what age people of a country are adults.');
    expect(await about.textContent()).toContain('it is 18, but: 19 Canada; 20 Taiwan, Thailand; 21 Bahrain');
  });

  test('the audit log tells all of it, and is whole', async () => {
    const page = of(root);
    await go(page, 'Audit log');
    for (const what of [
      ...['organization.create', 'invitation.create', 'invitation.accept', 'member.update'],
      ...['apiKey.create', 'dnsRecord.create'],
    ]) {
      await page.getByRole('row').filter({ hasText: what }).first().waitFor();
    }
    const change = page.getByRole('row').filter({ hasText: 'member.update' });
    await change.getByRole('button', { name: 'Details' }).click();
    const [was, is] = [page.locator('del'), page.locator('ins')];
    expect([await was.textContent(), await is.textContent()]).toEqual(['member', 'admin']);
    await press(page, 'Close');

    await fill(page, { Resource: 'dnsRecord' });
    await press(page, 'Filter');
    await page.getByRole('row').filter({ hasText: 'apiKey.create' }).waitFor({ state: 'detached' });
    await press(page, 'Verify');
    await says(page, /^All \d+ rows are as they were written\.$/);
  });

  test('who leaves by hand is out, and comes back to the page that was asked for', async () => {
    const page = of(ada);
    await page.locator('.account').click();
    await page.getByRole('menuitem', { name: 'Sign out' }).click();
    await page.getByRole('heading', { name: 'Sign in' }).waitFor();
    await page.goto(`${organizationUrl}/members`);
    await fill(page, { 'E-mail': ADA, Password: PASSWORD });
    await press(page, 'Sign in');
    await page.getByRole('row', { name: /root@example\.org/ }).waitFor();
    expectNoComplaints(...[root, ada].filter((visitor) => visitor !== undefined));
  });
});
