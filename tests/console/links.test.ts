import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { invite, linkFor, newEnrolment } from '../api/stage.ts';
import {
  createConsoleHarness,
  enter,
  expectNoComplaints,
  fill,
  missing,
  openChromium,
  press,
  says,
  signIn,
  type Visitor,
} from '../support/chromium.ts';
import { PASSWORD } from '../support/harness.ts';
import { askForLink } from '../support/links.ts';

if (missing !== undefined) test.skip(`where links lead in the console: ${missing}`, () => {});

/* Where the links of mails lead, and devices send people, when the console is there. */

const NEW_PASSWORD = 'Difference-2';

describe.skipIf(missing !== undefined)('the console', () => {
  let h: Awaited<ReturnType<typeof createConsoleHarness>>;
  let chromium: Awaited<ReturnType<typeof openChromium>>;
  let visitor: Visitor;
  let page: Page;
  beforeAll(async () => {
    h = await createConsoleHarness();
    chromium = await openChromium(h.url);
  });
  afterAll(async () => {
    await chromium[Symbol.asyncDispose]();
    await h[Symbol.asyncDispose]();
  });
  beforeEach(async () => {
    visitor = await chromium.visitor();
    page = visitor.page;
  });
  afterEach(async () => {
    expectNoComplaints(visitor);
    await page.context().close();
  });

  test('a forgotten password is chosen anew', async () => {
    const { email } = await h.user();
    await page.goto('/sign-in');
    await page.getByRole('link', { name: 'Forgotten your password?' }).click();
    await page.getByRole('heading', { level: 1, name: 'Forgotten password' }).waitFor();
    await fill(page, { 'E-mail': 'nobody@example.org' });
    await press(page, 'Send the link');
    await says(page, 'If this address has an account, a link');

    await page.goto((await askForLink(h, email, 'reset')).href);
    await fill(page, { 'New password': NEW_PASSWORD });
    await press(page, 'Use this password');
    await says(page, 'Your password is changed');
    await signIn(page, email, PASSWORD);
    await says(page, 'Invalid email or password');
    await fill(page, { Password: NEW_PASSWORD });
    await press(page, 'Sign in');
    await page.getByRole('heading', { level: 1, name: /organization/ }).waitFor();
  });

  test('an invitation is not for whoever is signed in, and opens to who it is for', async () => {
    const [{ id, owner }, somebody, invited] = [await h.organization(), await h.user(), await h.user()];
    await invite(owner, id, invited.email);
    await enter(visitor, h.url, somebody.cookie);
    await page.goto(await linkFor(h, invited.email));
    await says(page, `This invitation is for ${invited.email}, and you are signed in as ${somebody.email}.`);
    await press(page, 'Sign out');
    await page.getByRole('link', { name: 'I have an account: sign in' }).click();
    await page.getByRole('heading', { level: 1, name: 'Sign in' }).waitFor();
    await fill(page, { 'E-mail': invited.email, Password: PASSWORD });
    await press(page, 'Sign in');
    await press(page, 'Join'); // signing in led back to the invitation
    await page.getByRole('button', { name: 'Acme' }).waitFor();
    const { body } = await owner.get('organization.members', { organizationId: id });
    expect(body.items.map(({ userId }: { userId: string }) => userId)).toContain(invited.id);
  });

  test('an invitation is turned down', async () => {
    const [{ id, owner }, invited] = [await h.organization(), await h.user()];
    await invite(owner, id, invited.email);
    await enter(visitor, h.url, invited.cookie);
    await page.goto(await linkFor(h, invited.email));
    await press(page, 'Turn it down');
    await says(page, 'You have turned the invitation down.');
    const [invitation] = await h.sql`select status from invitations where organization_id = ${id}`;
    expect(invitation?.status).toBe('rejected');
  });

  test('a device is let in by its code, once somebody has signed in', async () => {
    const [{ id, email }, { deviceCode, userCode }] = [await h.user(), await newEnrolment(h)];
    await page.goto(`/device?user_code=${userCode}`);
    await fill(page, { 'E-mail': email, Password: PASSWORD });
    await press(page, 'Sign in');
    await press(page, 'Continue');
    await says(page, '“spare” asks from an unknown address.');
    await press(page, 'Let it in');
    await says(page, 'The device is let in.');
    expect((await h.anonymous.post('tunnelDevice.poll', { deviceCode })).body).toMatchObject({ userId: id });
  });
});
