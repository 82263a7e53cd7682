import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { newNode, newRoleOf, newServerOf } from '../api/stage.ts';
import {
  createConsoleHarness,
  enter,
  expectNoComplaints,
  fill,
  missing,
  openChromium,
  press,
  says,
  type Visitor,
} from '../support/chromium.ts';
import { PASSWORD, type TestUser } from '../support/harness.ts';

if (missing !== undefined) test.skip(`the forms of the console: ${missing}`, () => {});

/* What a form sends is what it shows, also where something could not be read. */

const ROLE = 'dns-editor';
const UNREACHABLE = 'The service could not be reached.';

describe.skipIf(missing !== undefined)('the console', () => {
  let h: Awaited<ReturnType<typeof createConsoleHarness>>;
  let chromium: Awaited<ReturnType<typeof openChromium>>;
  let visitor: Visitor;
  let page: Page;
  let root: TestUser;
  beforeAll(async () => {
    h = await createConsoleHarness();
    chromium = await openChromium(h.url);
    root = await h.user();
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

  /** An organization that has made a role, and where its pages are. */
  async function organization(permissions: string[] = []) {
    const org = await h.organization();
    await newRoleOf(h, org.id, ROLE, permissions);
    const [row] = await h.sql`select slug from organizations where id = ${org.id}`;
    return { ...org, url: `/o/${row?.slug}` };
  }

  async function open({ cookie }: TestUser, path: string): Promise<void> {
    await enter(visitor, h.url, cookie);
    await page.goto(path);
  }

  /** As a proxy in front of the service answers while there is none. @returns what ends it */
  async function cutOff(procedure: string): Promise<() => Promise<void>> {
    const calls = `**/api/**${procedure}*`;
    await page.route(calls, (route) =>
      route.fulfill({ status: 502, contentType: 'text/html', body: '<h1>Bad gateway</h1>' }),
    );
    return () => page.unroute(calls);
  }

  test('a role stays what it is where the others cannot be read', async () => {
    const org = await organization();
    const { email, memberId } = await org.join(ROLE);
    await open(org.owner, `${org.url}/members`);
    const end = await cutOff('customRole.all');
    await press(page, `Actions for ${email}`);
    await page.getByRole('menuitem', { name: 'Change role' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText(UNREACHABLE).waitFor();
    const [role, change] = [dialog.getByLabel('Role'), dialog.getByRole('button', { name: 'Change role' })];
    expect([await role.inputValue(), await change.isDisabled()]).toEqual([ROLE, true]);
    await end();
    await dialog.getByRole('button', { name: 'Try again' }).click();
    await change.click();
    await says(page, `${email} has another role now.`);
    const [membership] = await h.sql`select role from memberships where id = ${memberId}`;
    expect(membership?.role).toBe(ROLE);
  });

  test('what a role of the organization allows is offered, also to who may not read the roles', async () => {
    const org = await organization(['member:read', 'invitation:create', 'dnsZone:read']);
    await h.sql`update organizations set default_role = ${ROLE} where id = ${org.id}`;
    await open(await org.join(ROLE), `${org.url}/members`);
    await press(page, 'Invite people');
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('E-mail addresses').fill('ada@example.org');
    await dialog.getByRole('button', { name: 'Invite people' }).click();
    await says(page, '1 person invited.');
    const [invitation] = await h.sql`select role from invitations where organization_id = ${org.id}`;
    expect(invitation?.role).toBe(ROLE);
  });

  test('settings are sent as far as they were changed', async () => {
    const org = await organization();
    await h.sql`update organizations set default_role = ${ROLE} where id = ${org.id}`;
    const end = await cutOff('customRole.all');
    await open(org.owner, `${org.url}/settings`);
    const [role, save] = [page.getByLabel('Role of new members'), page.getByRole('button', { name: 'Save' })];
    const general = page.locator('form', { has: save });
    await general.getByText(UNREACHABLE).waitFor();
    expect([await role.inputValue(), await save.isDisabled()]).toEqual([ROLE, true]);
    await end();
    await general.getByRole('button', { name: 'Try again' }).click();
    await page.getByLabel('Description').fill('Workshops');
    await h.sql`update organizations set name = 'Acme & Sons' where id = ${org.id}`; // by somebody else
    await save.click();
    await says(page, 'The organization is changed.');
    const read = () => h.sql`select name, description, default_role from organizations where id = ${org.id}`;
    expect(await read()).toEqual([{ name: 'Acme & Sons', description: 'Workshops', defaultRole: ROLE }]);

    await expect.poll(() => page.getByLabel('Name', { exact: true }).inputValue()).toBe('Acme & Sons');
    await role.selectOption({ label: '–' });
    await save.click();
    await expect.poll(read).toMatchObject([{ defaultRole: null }]);
  });

  test('a license is changed as far as its fields were, and its key stays to be copied', async () => {
    const expiresAt = '2099-06-30T12:34:56.000Z';
    const { body: license } = await root.post('license.create', { plan: 'paid', expiresAt });
    const read = async () => {
      const [row] = await h.sql`select active, expires_at from licenses where id = ${license.id}`;
      return [row?.active, row?.expiresAt.toISOString()];
    };
    await open(root, '/platform/licenses');
    const dialog = page.getByRole('dialog');
    const change = async (fill: () => Promise<void>) => {
      await page.getByRole('row').filter({ hasText: license.id }).getByRole('button').click();
      await page.getByRole('menuitem', { name: 'Change' }).click();
      await fill();
      await dialog.getByRole('button', { name: 'Save changes' }).click();
      await dialog.waitFor({ state: 'detached' });
    };
    await change(() => dialog.getByLabel('Active').uncheck());
    expect(await read()).toEqual([false, expiresAt]);
    await change(() => dialog.getByLabel('Expires').fill('2099-07-01'));
    expect(await read()).toEqual([false, '2099-07-01T23:59:59.000Z']);

    await press(page, 'Create license');
    await dialog.getByRole('button', { name: 'Create license' }).click();
    const key = (await dialog.locator('.copyable code').textContent()) ?? '';
    expect((await h.anonymous.get('license.validate', { key })).body).toMatchObject({ valid: true });
    await press(page, 'Done');
    await dialog.waitFor({ state: 'detached' });
  });

  test('of a node, a server and the rules only what was changed is sent', async () => {
    const { id } = await newNode(h, { name: 'n1' });
    const { id: organizationId, owner, url } = await organization();
    const serverId = await newServerOf(h, organizationId, id);
    const dialog = page.getByRole('dialog');
    const change = async (
      name: string,
      action: string,
      values: Record<string, string>,
      elsewhere: object,
    ) => {
      await press(page, `Actions for ${name}`);
      await page.getByRole('menuitem', { name: action }).click();
      await dialog.waitFor();
      await elsewhere;
      for (const [label, value] of Object.entries(values)) await dialog.getByLabel(label).fill(value);
      await dialog.getByRole('button', { name: 'Save changes' }).click();
      await dialog.waitFor({ state: 'detached' });
    };
    await open(root, '/platform/nodes');
    await change('n1', 'Change', { Address: 'n1.example.net' }, h.sql`update nodes set draining = true`);
    expect(await h.sql`select address, draining from nodes where id = ${id}`).toEqual([
      { address: 'n1.example.net', draining: true },
    ]);

    const registration = () => h.sql`select value ->> 'registration' as open from settings`;
    await page.goto('/platform/settings');
    const age = page.getByLabel('Minimum age', { exact: true });
    await age.waitFor();
    await root.post('settings.update', { registration: false });
    onTestFinished(
      async () => void (await root.post('settings.update', { registration: true, minimumAge: 13 })),
    );
    await age.fill('16');
    await press(page, 'Save changes');
    await says(page, 'The rules are changed.');
    expect(await registration()).toEqual([{ open: 'false' }]);

    await page.context().clearCookies();
    await open(owner, `${url}/servers`);
    await change(
      'spare',
      'Rename or resize',
      { Name: 'web' },
      h.sql`update servers set cpu_percent = 75 where id = ${serverId}`,
    );
    expect(await h.sql`select name, cpu_percent::int from servers where id = ${serverId}`).toEqual([
      { name: 'web', cpuPercent: 75 },
    ]);
  });

  test('what is typed in one form stays when another one is sent', async () => {
    await open(root, '/account/profile');
    const displayName = page.getByLabel('Display name');
    await displayName.fill('Countess');
    await page.getByLabel('Theme').selectOption('dark');
    await page
      .locator('form', { has: page.getByLabel('Theme') })
      .getByRole('button')
      .click();
    await says(page, 'Your profile is changed.');
    await page.locator('html[data-theme=dark]').waitFor();
    expect(await displayName.inputValue()).toBe('Countess');

    await page.goto('/platform/settings');
    const age = page.getByLabel('Minimum age', { exact: true });
    await age.fill('17');
    const countries = page.locator('section', { has: page.getByRole('heading', { name: 'Countries' }) });
    await countries.getByLabel('Country').selectOption('AQ');
    await countries.getByRole('button', { name: 'Set' }).click();
    onTestFinished(async () => void (await root.post('settings.update', { countryLevels: { AQ: null } })));
    await countries.getByRole('listitem').filter({ hasText: 'Antarctica' }).waitFor();
    expect(await age.inputValue()).toBe('17');
  });

  test('no events of a webhook are not taken for all', async () => {
    const { id, owner, url } = await organization();
    const { body } = await owner.post('webhook.create', {
      ...{ organizationId: id, url: 'https://example.org/hooks', events: ['member.updated'] },
    });
    const events = async () => (await h.sql`select events from webhooks where id = ${body.id}`)[0]?.events;
    const dialog = page.getByRole('dialog');
    const everything = dialog.getByLabel('Everything');
    const refused = async () => {
      await dialog.getByRole('button', { name: 'Save changes' }).click();
      await dialog.locator('[name=all]:focus').waitFor();
      return everything.evaluate((input) => Reflect.get(input, 'validationMessage'));
    };
    const problem = 'Choose an event, or everything.';
    await open(owner, `${url}/webhooks/${body.id}`);
    await press(page, 'Change');
    await dialog.getByLabel('member.updated').uncheck();
    expect(await refused()).toBe(problem);
    await dialog.getByLabel('member.deleted').check();
    await dialog.getByRole('button', { name: 'Save changes' }).click();
    await dialog.waitFor({ state: 'detached' });
    expect(await events()).toEqual(['member.deleted']);

    await cutOff('webhook.events');
    await page.reload();
    await press(page, 'Change');
    expect(await refused()).toBe(problem);
    expect(await events()).toEqual(['member.deleted']);
  });

  test('what goes with an organization, and its tier, are said in words', async () => {
    const { owner, url } = await organization();
    await open(owner, '/organizations');
    await page.getByRole('cell', { name: 'Free Portal' }).first().waitFor();
    await h.sql`update organizations set avatar_hash = ${'0'.repeat(64)} where slug = ${url.slice(3)}`;
    await page.goto(`${url}/settings`);
    await press(page, 'Delete organization');
    const facts = page.getByRole('dialog').locator('.facts div');
    await expect.poll(() => facts.allInnerTexts()).toContain('Picture\nYes');
  });

  test('a name is confirmed as it is read', async () => {
    const { id, owner, url } = await organization();
    const serverId = await newServerOf(h, id);
    const name = 'Mu\u0308ller  web'; // a letter and its dots apart, and two spaces
    expect((await owner.post('server.update', { serverId, name })).status).toBe(200);
    await open(owner, `${url}/servers`);
    await page.getByRole('button', { name: /^Actions for/ }).click();
    await page.getByRole('menuitem', { name: 'Remove' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel(/^Type/).fill('M\u00fcller web');
    await dialog.getByRole('button', { name: 'Remove' }).click();
    await says(page, 'is removed.');
  });

  test('a dialog begins in its first field', async () => {
    const { owner, url } = await organization();
    await open(owner, `${url}/webhooks`);
    await press(page, 'Add webhook');
    await page.locator('dialog [name=url]:focus').waitFor();
    await page.goto(`${url}/members`);
    await press(page, 'Invite people');
    await page.locator('dialog [name=invitations]:focus').waitFor();
  });

  test('a handle is asked for when it is typed, and not letter by letter', async () => {
    const { owner } = await organization();
    await open(owner, '/organizations');
    await press(page, 'Create organization');
    const asked: string[] = [];
    page.on('request', (request) => {
      if (request.url().includes('organization.checkHandle')) asked.push(request.url());
    });
    await page.getByLabel('Handle').pressSequentially('letter-by-letter.example.org', { delay: 30 });
    await says(page, 'Available');
    expect(asked.length).toBeLessThan(10);
  });

  test('days of the audit log are those of who looks at it', async () => {
    const { owner, url } = await organization();
    await page.context().close();
    visitor = await chromium.visitor({ timezoneId: 'Pacific/Auckland' });
    page = visitor.page;
    await open(owner, `${url}/audit`);
    await page.getByLabel('From').fill('2026-01-15');
    const request = page.waitForRequest((one) => one.url().includes('auditLog.all'));
    await press(page, 'Filter');
    expect(decodeURIComponent((await request).url())).toContain('"from":"2026-01-14T11:00:00.000Z"');
  });

  test('what was typed about one account is not there for the next', async () => {
    const [one, other] = [await h.user(), await h.user()];
    await open(root, '/platform/users');
    const find = async (name: string, { email }: TestUser) => {
      await page.getByLabel('E-mail address or id').fill(name);
      await press(page, 'Find');
      await page.getByText(email).waitFor();
    };
    await find(one.id, one);
    await find(other.email, other);
    const reason = page.getByLabel('Reason');
    await reason.fill('Unpaid');
    await find(one.email, one);
    expect(await reason.inputValue()).toBe('');
  });

  test('people of a country with a minimum age of its own can sign up', async () => {
    const set = (minimumAges: object) => root.post('settings.update', { minimumAges });
    await set({ JP: 16 });
    onTestFinished(async () => void (await set({ JP: null })));
    await page.goto('/sign-up');
    const email = 'hana@example.org';
    await fill(page, { 'First name': 'Hana', 'E-mail': email, Password: PASSWORD });
    await page.getByLabel('Country').selectOption({ label: 'Austria' });
    expect(await page.getByLabel('Date of birth').count()).toBe(0);
    await page.getByLabel('Country').selectOption({ label: 'Japan' });
    await fill(page, { 'Date of birth': '1990-04-23' });
    await press(page, 'Create account');
    await page.getByRole('heading', { level: 1, name: /organization/ }).waitFor();
    const [user] = await h.sql`select date_of_birth::text as born from users where email = ${email}`;
    expect(user?.born).toBe('1990-04-23');
  });

  test('a wrong current password leaves what was typed, the right one does not', async () => {
    await open(await h.user(), '/account/security');
    const [current, wanted] = [page.getByLabel('Current password'), page.getByLabel('New password')];
    await fill(page, { 'Current password': 'Wrong-horse-1', 'New password': 'Difference-2' });
    await press(page, 'Change password');
    await says(page, 'This is not your current password.');
    await page.locator('[name=currentPassword]:focus').waitFor();
    expect(await wanted.inputValue()).toBe('Difference-2');
    await current.fill(PASSWORD);
    await press(page, 'Change password');
    await says(page, 'Your password is changed.');
    await expect.poll(async () => [await current.inputValue(), await wanted.inputValue()]).toEqual(['', '']);

    await page.goto('/account/profile');
    await fill(page, { 'E-mail': 'grace@example.org', 'Current password': 'Difference-2' });
    await press(page, 'Change address');
    await says(page, 'Open the link that we have mailed to grace@example.org.');
    await expect.poll(() => current.inputValue()).toBe('');
  });

  test('of many addresses those that are none are named', async () => {
    const org = await organization();
    await open(org.owner, `${org.url}/members`);
    await press(page, 'Invite people');
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('E-mail addresses').fill('ada@example.org, grace@, alan@example');
    await dialog.getByRole('button', { name: 'Invite people' }).click();
    const problem = (address: string) => `“${address}”: This is not an e-mail address.`;
    await dialog.getByText(`${problem('grace@')} ${problem('alan@example')}`).waitFor();
  });

  test('fields take as much as the service does', async () => {
    const { id: organizationId, owner, url } = await organization();
    const limit = async (label: string) =>
      Number(await page.getByLabel(label, { exact: true }).getAttribute('maxlength'));
    const ends = async (procedure: string, input: object, field: string, length: number) => {
      const send = async (n: number) =>
        (await owner.post(procedure, { ...input, [field]: 'x'.repeat(n) })).status;
      return [await send(length), await send(length + 1)];
    };
    await open(owner, `${url}/settings`);
    for (const [label, field] of [
      ['Name', 'name'],
      ['Description', 'description'],
    ] as const) {
      const length = await limit(label);
      expect(await ends('organization.update', { organizationId }, field, length), label).toEqual([200, 400]);
    }
    await page.goto(`${url}/api-keys`);
    await press(page, 'Create key');
    expect(await ends('apiKey.create', {}, 'name', await limit('Name'))).toEqual([200, 400]);
  });
});
