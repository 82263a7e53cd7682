import type { Page, Route } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { newId } from '../../src/kernel/ids.ts';
import { invite, linkFor, newNode, newRoleOf, newServerOf, zoneOf } from '../api/stage.ts';
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
import { PASSWORD, type TestUser } from '../support/harness.ts';
import { codeOf } from '../support/otp.ts';
import { accountWithFactor } from '../support/two-factor.ts';

if (missing !== undefined) test.skip(`the console in trouble: ${missing}`, () => {});

/* What goes wrong, and that people are told. */

describe.skipIf(missing !== undefined)('the console', () => {
  let h: Awaited<ReturnType<typeof createConsoleHarness>>;
  let chromium: Awaited<ReturnType<typeof openChromium>>;
  let visitor: Visitor;
  let page: Page;
  let root: TestUser;
  beforeAll(async () => {
    h = await createConsoleHarness();
    chromium = await openChromium(h.url);
    root = await h.user(); // the administrator
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

  /** The owner of an organization, on one of its pages. */
  async function owner(path = '') {
    const org = await h.organization();
    await enter(visitor, h.url, org.owner.cookie);
    const { body } = await org.owner.get('organization.one', { organizationId: org.id });
    const url = `/o/${body.slug}`;
    await page.goto(url + path);
    return { ...org, url };
  }

  test('a wrong password and a wrong code are told, and the right ones let in', async () => {
    const { email, code, recoveryCodes } = await accountWithFactor(h);
    await signIn(page, email, 'Wrong-horse-1');
    await says(page, 'Invalid email or password');
    await fill(page, { Password: PASSWORD });
    await press(page, 'Sign in');
    await page.getByRole('heading', { name: 'Second factor' }).waitFor();
    await fill(page, { 'Six-digit code': code(-20) });
    await press(page, 'Sign in');
    await says(page, 'This code is wrong, used or too old.');

    await page.reload(); // in the middle: the password is asked for again
    await signIn(page, email, PASSWORD);
    await press(page, 'Use a recovery code');
    await fill(page, { 'Recovery code': recoveryCodes[0] ?? '' });
    await press(page, 'Sign in');
    await page.getByRole('heading', { level: 1, name: /organization/ }).waitFor();
  });

  test('a second factor is set up by its QR code', async () => {
    const user = await h.user();
    await enter(visitor, h.url, user.cookie);
    await page.goto('/account/security');
    await press(page, 'Set up');
    await page.getByRole('dialog').getByLabel('Current password').fill(PASSWORD);
    await press(page, 'Continue');
    await page.getByRole('img', { name: 'QR code for your authenticator app' }).waitFor();
    const secret = await page.getByRole('dialog').locator('.copyable code').textContent();
    await fill(page, { 'Six-digit code': codeOf(`otpauth://totp/x?secret=${secret}`, h.app.deps.now()) });
    await press(page, 'Confirm');
    await says(page, 'Keep these codes');
    expect(await page.locator('.codes li').count()).toBe(10);
    await press(page, 'Done');
    await page.getByRole('button', { name: 'Switch off' }).waitFor();
  });

  test('an invitation that has expired says so, before and while it is looked at', async () => {
    const { id, owner } = await h.organization();
    const { email } = await invite(owner, id);
    const link = await linkFor(h, email);
    await page.goto(link);
    await page.getByRole('heading', { name: 'Join Acme' }).waitFor();
    h.clock.advance(49 * 3_600_000);
    await fill(page, { 'First name': 'Late', Password: PASSWORD });
    await press(page, 'Create account and join');
    await page.getByRole('alert').first().waitFor();
    await page.goto(link);
    await says(page, 'Invitation not found.');
    await says(page, 'has expired. Ask whoever invited you');
  });

  test('at its quota an organization is told which, and keeps what was typed', async () => {
    const { id } = await owner();
    await newNode(h);
    for (let made = 0; made < 2; made += 1) await newServerOf(h, id);
    await page.getByRole('navigation').getByRole('link', { name: 'Servers' }).click();
    await says(page, '2 of 2 servers of this tier are used.');
    await press(page, 'Create server');
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Name').fill('third');
    await dialog.getByRole('button', { name: 'Create server' }).click();
    await says(page, 'Free Portal has 2 servers, and the organization has 2.');
    expect(await dialog.getByLabel('Name').inputValue()).toBe('third');
  });

  test('what is refused about a field stands beside it', async () => {
    await owner('/webhooks');
    await press(page, 'Add webhook');
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Address').fill('ftp://example.org/');
    await dialog.getByRole('button', { name: 'Add webhook' }).click();
    const field = dialog.getByLabel('Address');
    await dialog.locator('.field.faulty').waitFor();
    expect(await field.getAttribute('aria-invalid')).toBe('true');
    expect(await dialog.locator('input:focus').getAttribute('name')).toBe('url');
  });

  test('what is refused about checkboxes is told too', async () => {
    await owner('/webhooks');
    await press(page, 'Add webhook');
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Address').fill('https://example.org/hooks');
    await dialog.getByLabel('Everything').uncheck();
    const event = dialog.locator('[name=events]').first();
    await event.check();
    await event.evaluate((input) => Reflect.set(input, 'value', 'gone')); // as after an upgrade
    await dialog.getByRole('button', { name: 'Add webhook' }).click();
    await dialog.getByRole('alert').getByText('events.0').waitFor();
  });

  test('a lost connection is told, undoes nothing, and mends by itself', async () => {
    const { id, owner: founder } = await owner('/roles');
    await press(page, 'Create role');
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Role', { exact: true }).fill('reader');
    await dialog.getByLabel('server:read').check();
    await page.context().setOffline(true);
    await dialog.getByRole('button', { name: 'Create role' }).click();
    await says(page, 'The service could not be reached.');
    const banner = page.locator('.lost');
    await banner.waitFor();
    await page.context().setOffline(false);
    await banner.waitFor({ state: 'detached' });
    await dialog.getByRole('button', { name: 'Create role' }).click();
    await says(page, 'The role reader is created.');
    const { body } = await founder.get('customRole.all', { organizationId: id });
    expect(body.map(({ role }: { role: string }) => role)).toEqual(['reader']);
  });

  /** As a proxy answers while there is no service behind it. */
  const cutOff = (path: string) =>
    page.route(`**/api/${path}`, (route) =>
      route.fulfill({ status: 502, contentType: 'text/html', body: '<h1>Bad gateway</h1>' }),
    );

  test('a console that is opened while the service is away shows its page as soon as it answers', async () => {
    const { url } = await owner();
    const answers = [
      () => {}, // a network that says nothing
      (route: Route) =>
        route.fulfill({ status: 502, contentType: 'text/html', body: '<h1>Bad gateway</h1>' }),
      (route: Route) => route.abort(),
    ];
    const shown = [page.getByText('Loading…'), page.locator('.lost'), page.locator('.lost')];
    for (const [index, answer] of answers.entries()) {
      await page.route(/\/(api|health)/, answer);
      await page.goto(`${url}/members`);
      await shown[index]?.waitFor();
      await page.unrouteAll();
      if (index === 0) continue;
      await page.getByRole('heading', { level: 1, name: 'Members' }).waitFor();
      await page.locator('.lost').waitFor({ state: 'detached' });
    }
    visitor.complaints.length = 0; // what the page showed is said there too
  });

  test('what answers in front of the service is no answer', async () => {
    await cutOff('auth/sign-in/email');
    await signIn(page, 'ada@example.org', PASSWORD);
    await says(page, 'The service could not be reached.');
  });

  test('who could not be signed out is told', async () => {
    await owner();
    await cutOff('auth/sign-out');
    await page.locator('.account').click();
    await page.getByRole('menuitem', { name: 'Sign out' }).click();
    await says(page, 'The service could not be reached.');
  });

  test('who could not be brought to another organization is told', async () => {
    const { id } = await owner();
    await cutOff('trpc/*organization.setActive*');
    await page.locator('.switcher').click();
    await page.getByRole('menuitem', { name: 'Acme' }).click();
    await page.locator('main').getByText('The service could not be reached.').waitFor();
    expect(await h.sql`select 1 from sessions where active_organization_id = ${id}`).toEqual([]);
  });

  test('an invitation that could not be sent again is not said of its link', async () => {
    const { id, owner: founder } = await owner();
    const { email } = await invite(founder, id);
    await page.getByRole('navigation').getByRole('link', { name: 'Invitations' }).click();
    const choose = async (name: string) => {
      await press(page, `Actions for ${email}`);
      await page.getByRole('menuitem', { name }).click();
    };
    await cutOff('trpc/*organization.resendInvitation*');
    await choose('Send again');
    await says(page, 'The service could not be reached.');
    await choose('Show a link');
    await page.getByRole('dialog').waitFor();
    expect(await page.getByText('The service could not be reached.').count()).toBe(0);
  });

  test('a picture that could not be removed is not taken to be gone', async () => {
    const { owner: founder } = await owner();
    await h.sql`update users set avatar_hash = ${'0'.repeat(64)} where id = ${founder.id}`;
    await page.goto('/account/profile');
    await cutOff('trpc/*user.removeAvatar*');
    await press(page, 'Remove');
    await says(page, 'The service could not be reached.');
  });

  test('what there is not, or not any more, has a page that says so', async () => {
    const { url } = await owner();
    const gone = newId();
    for (const path of [
      ...['/o/nowhere', '/account', '/nothing'],
      ...[`${url}/dns/${gone}`, `${url}/dns/nonsense`, `${url}/webhooks/${gone}`],
    ]) {
      await page.goto(path);
      await page.getByRole('heading', { level: 1, name: 'There is nothing here' }).waitFor();
      expect(await page.title()).toBe('There is nothing here – Tenantry');
      expect(await page.locator('main').count()).toBe(1);
    }
  });

  test('who deletes something is led to what is left', async () => {
    const { id, url } = await owner();
    const confirm = async (action: string, name: string) => {
      await press(page, action);
      await page.getByRole('dialog').getByLabel(`Type “${name}” to confirm`).fill(name);
      await page.getByRole('dialog').getByRole('button', { name: action }).click();
    };
    const [zone] = await h.sql`select id, name from dns_zones where organization_id = ${id}`;
    await page.goto(`${url}/dns/${zone?.id}`);
    await page.getByRole('tab', { name: 'Settings' }).click();
    await confirm('Delete zone', zone?.name);
    await page.getByRole('heading', { level: 1, name: 'DNS zones' }).waitFor();
    await page.goto(`${url}/settings`);
    await confirm('Delete organization', 'Acme');
    await page.getByRole('heading', { level: 1, name: 'Organizations' }).waitFor();
    await says(page, 'Acme is deleted.');
  });

  test('a button that is pressed twice makes one', async () => {
    const { owner: founder } = await owner('/api-keys');
    await press(page, 'Create key');
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Name').fill('ci');
    await dialog.getByRole('button', { name: 'Create key' }).dblclick();
    await press(page, 'Done');
    await page.getByRole('row', { name: /ci/ }).waitFor();
    expect(await h.sql`select name from api_keys where user_id = ${founder.id}`).toEqual([{ name: 'ci' }]);
  });

  test('who signs out leaves nothing to who signs in next', async () => {
    const next = await h.user();
    await owner('/members');
    await page.locator('.account').click();
    await page.getByRole('menuitem', { name: 'Sign out' }).click();
    await page.waitForURL(`${h.url}/sign-in`);
    await fill(page, { 'E-mail': next.email, Password: PASSWORD });
    await press(page, 'Sign in');
    await page.getByRole('heading', { level: 1, name: /organization/ }).waitFor();
    await page.goBack(); // signing in is no place to come back to
    expect(await page.getByRole('heading', { name: 'Sign in' }).count()).toBe(0);
  });

  test('who sees no servers is not told that there may be any number', async () => {
    const { id, url, join } = await owner();
    const nobody = await join(await newRoleOf(h, id, 'guest'));
    await page.context().clearCookies();
    await enter(visitor, h.url, nobody.cookie);
    await page.goto(url);
    await page.locator('.number').getByText('You need the permission server:read for this.').waitFor();
    await says(page, 'Up to 2 servers');
    expect(await page.getByText(/Any number of servers|No limit/).count()).toBe(0);
    await page.goto(`${url}/servers`);
    await says(page, 'You need the permission server:read for this.');
    expect(await page.getByText('Any number of servers').count()).toBe(0);
  });

  test('sessions are told by their program and its system', async () => {
    const { owner: founder } = await owner();
    const gecko = 'AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0';
    for (const userAgent of [
      `Mozilla/5.0 (Windows NT 10.0; Win64; x64) ${gecko} Safari/537.36 Edg/142.0.0.0`,
      `Mozilla/5.0 (Linux; Android 10; K) ${gecko} Mobile Safari/537.36`,
    ]) {
      const who = { email: founder.email, password: PASSWORD };
      await h.anonymous.post('auth/sign-in/email', who, { 'user-agent': userAgent });
    }
    await page.goto('/account/sessions');
    await says(page, 'Edge · Windows');
    await says(page, 'Chrome · Android');
  });

  test('a reload in the middle makes nothing, and comes back to the same page', async () => {
    const { id, url } = await owner();
    const zone = await zoneOf(h, id);
    await page.goto(`${url}/dns/${zone}`);
    await press(page, 'Add record');
    await fill(page, { Name: 'www', Content: '192.0.2.1' });
    await page.reload();
    await says(page, 'No records.');
    expect(new URL(page.url()).pathname).toBe(`${url}/dns/${zone}`);
    expect(await h.sql`select 1 from dns_records where zone_id = ${zone}`).toEqual([]);
  });

  test('a session that ended elsewhere leads to signing in, and back', async () => {
    const { owner: founder, url } = await owner('/members');
    await page.getByRole('row', { name: /owner/ }).waitFor();
    await h.sql`delete from sessions where user_id = ${founder.id}`;
    await page.getByRole('navigation').getByRole('link', { name: 'Servers' }).click();
    await page.getByRole('heading', { name: 'Sign in' }).waitFor();
    await fill(page, { 'E-mail': founder.email, Password: PASSWORD });
    await press(page, 'Sign in');
    await page.getByRole('heading', { level: 1, name: 'Servers' }).waitFor();
    expect(new URL(page.url()).pathname).toBe(`${url}/servers`);
  });

  test('nobody is led to another site by signing in', async () => {
    const { email } = await h.user();
    for (const next of [
      'https://evil.example/',
      '//evil.example/',
      '/\\evil.example/',
      'javascript:alert(1)',
    ]) {
      await page.context().clearCookies();
      await page.goto(`/sign-in?next=${encodeURIComponent(next)}`);
      await fill(page, { 'E-mail': email, Password: PASSWORD });
      await press(page, 'Sign in');
      await page.getByRole('heading', { level: 1, name: /organization/ }).waitFor();
      expect(new URL(page.url()).origin).toBe(h.url);
    }
  });

  test('what is refused about one thing is not said of the next', async () => {
    const { id } = await owner();
    const [{ id: full }, { id: empty }] = [await newNode(h), await newNode(h)];
    await newServerOf(h, id, full);
    await page.context().clearCookies();
    await enter(visitor, h.url, root.cookie);
    await page.goto('/platform/nodes');
    const dialog = page.getByRole('dialog');
    const choose = async (name: string) => {
      await press(page, `Actions for ${name}`);
      await page.getByRole('menuitem', { name: 'Remove' }).click();
      await dialog.getByLabel(`Type “${name}” to confirm`).fill(name);
    };
    await choose(full);
    await dialog.getByRole('button', { name: 'Remove' }).click();
    await dialog.getByRole('alert').getByText('There is 1 server on this node.').waitFor();
    await page.keyboard.press('Escape');
    await choose(empty);
    expect(await dialog.getByRole('alert').count()).toBe(0);
  });

  test('what is destroyed asks for its name, and goes by keyboard alone', async () => {
    const { id } = await owner();
    await newNode(h);
    const serverId = await newServerOf(h, id);
    const [server] = await h.sql`select name from servers where id = ${serverId}`;
    await page.getByRole('navigation').getByRole('link', { name: 'Servers' }).focus();
    await page.keyboard.press('Enter');
    const menu = page.getByRole('button', { name: `Actions for ${server?.name}` });
    await menu.focus();
    const choose = async () => {
      await page.keyboard.press('Enter');
      await page.locator('[role="menuitem"]:focus').waitFor(); // a menu takes the focus after it is shown
      await page.keyboard.press('End');
      await page.locator('[role="menuitem"]:focus', { hasText: 'Remove' }).waitFor();
      await page.keyboard.press('Enter');
      await page.getByRole('dialog').waitFor();
    };
    await choose();
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    await page.locator(`:focus[aria-label="Actions for ${server?.name}"]`).waitFor();

    await choose();
    const remove = page.getByRole('dialog').getByRole('button', { name: 'Remove' });
    expect(await remove.isDisabled()).toBe(true);
    await page
      .getByRole('dialog')
      .getByLabel(/Type “/)
      .focus();
    await page.keyboard.type(String(server?.name));
    await page.keyboard.press('Enter');
    await says(page, `${server?.name} is removed.`);
    await page.locator('main:focus').waitFor(); // the button that had the focus is gone
    expect(await h.sql`select 1 from servers where id = ${serverId}`).toEqual([]);
  });
});
