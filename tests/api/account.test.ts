import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  createHarness,
  type Harness,
  httpCaller,
  PASSWORD,
  type Reply,
  type TestUser,
} from '../support/harness.ts';
import { linkTo, mailsTo, tokenOf } from '../support/links.ts';

/* What people read and change of their own account, and what others see of it. */

const NEW_PASSWORD = 'Battery-staple-2';

let h: Harness;
beforeAll(async () => {
  h = await createHarness();
  await h.user(); // the rootAdmin
});
afterAll(() => h[Symbol.asyncDispose]());

const signIn = (email: string, password: string) =>
  h.anonymous.post('auth/sign-in/email', { email, password });

describe('user.me', () => {
  test('has all of the account and no secret', async () => {
    const ada = await h.user({ name: 'Ada Lovelace' });
    const { status, body, text } = await ada.get('user.me');
    expect(status).toBe(200);
    expect(body).toMatchObject({
      id: ada.id,
      email: ada.email,
      emailVerified: true,
      name: 'Ada Lovelace',
      avatarUrl: null,
      role: 'user',
      suspended: false,
      twoFactorEnabled: false,
      pendingEmail: null,
      age: null,
      isChildAccount: false,
      settings: {},
      portalTier: 'free',
      limits: { maxOrganizations: 20, maxServers: 2 },
    });
    expect(text).not.toMatch(/hash|argon|secret|"password|token/i);
  });

  test.each([
    ['AT', 17, true],
    ['AT', 18, false],
    ['CA', 18, true],
    ['CA', 19, false],
    ['AE', 20, true],
    ['TH', 19, true],
    [null, 17, true],
  ])('in %s at %i years: child %s', async (billingCountry, years, isChildAccount) => {
    const ada = await h.user();
    const day = new Date(h.app.deps.now());
    day.setUTCFullYear(day.getUTCFullYear() - years);
    const dateOfBirth = day.toISOString().slice(0, 10);
    await ada.post('user.update', { dateOfBirth, billingCountry });
    expect((await ada.get('user.me')).body).toMatchObject({ age: years, isChildAccount, dateOfBirth });
  });

  test('platform administrators have no limit of organizations', async () => {
    const admin = await h.user();
    await h.sql`update users set role = 'admin' where id = ${admin.id}`;
    expect((await admin.get('user.me')).body.limits.maxOrganizations).toBeNull();
  });
});

describe('user.one', () => {
  test('by the address, to whom the account shows by its id', async () => {
    const org = await h.organization();
    const member = await org.join('member');
    const [stranger, staff] = [await h.user(), await h.user()];
    await h.sql`update users set role = 'staff' where id = ${staff.id}`;
    const read = (caller: TestUser, userId: string) => caller.get('user.one', { userId });
    const typed = ` ${org.owner.email.toUpperCase()} `;
    expect((await read(staff, typed)).body).toMatchObject({ id: org.owner.id, suspended: false, age: null });
    expect((await read(org.owner, typed)).body).toMatchObject({ id: org.owner.id, age: null });
    const seen = (await read(member, org.owner.email)).body;
    expect(seen.id).toBe(org.owner.id);
    expect(seen).not.toHaveProperty('age');
    const unknown = await read(stranger, 'nobody@example.org');
    const hidden = await read(stranger, org.owner.email);
    expect([hidden.status, hidden.text]).toEqual([404, unknown.text]);
    expect((await read(staff, 'nobody@example.org')).status).toBe(404);
  });

  const PRIVATE = ['dateOfBirth', 'age', 'billingCountry', 'settings', 'twoFactorEnabled', 'limits'];

  test('shows nothing private to other members, and everything to staff', async () => {
    const { owner, join } = await h.organization();
    const member = await join('member');
    await owner.post('user.update', { billingCountry: 'IE', displayName: 'The owner' });
    const seen = await member.get('user.one', { userId: owner.id });
    expect(seen.body).toMatchObject({ id: owner.id, displayName: 'The owner' });
    for (const field of PRIVATE) expect(seen.body).not.toHaveProperty(field);

    const staff = await h.user();
    await h.sql`update users set role = 'staff' where id = ${staff.id}`;
    expect((await staff.get('user.one', { userId: owner.id })).body).toMatchObject({ billingCountry: 'IE' });
  });

  test('shows limited keys nothing private, not even of their holder', async () => {
    const { id: organizationId, owner } = await h.organization();
    const key = await h.key(owner, { organizationId });
    for (const { status, body } of [
      await key.get('user.one', { userId: 'me' }),
      { ...(await key.get('user.get')), body: (await key.get('user.get')).body.user },
    ]) {
      expect(status).toBe(200);
      expect(body.id).toBe(owner.id);
      for (const field of PRIVATE) expect(body).not.toHaveProperty(field);
    }
    expect((await key.get('user.me')).status).toBe(403);
  });
});

describe('user.update', () => {
  let ada: TestUser;
  const update = (input: object) => ada.post('user.update', input);
  beforeAll(async () => {
    ada = await h.user({ name: 'Ada' });
  });

  test('changes what is named, keeps the rest, and null clears', async () => {
    await update({ firstName: 'Ada', lastName: 'Lovelace', displayName: 'Countess', billingCity: 'London' });
    const { body } = await update({ displayName: null, billingCountry: 'GB' });
    expect(body).toMatchObject({
      name: 'Ada Lovelace',
      firstName: 'Ada',
      displayName: null,
      billingCity: 'London',
      billingCountry: 'GB',
    });
    expect((await ada.get('user.me')).body).toEqual(body);
  });

  test('assigns nothing that is not its holder’s to change', async () => {
    const { body: before } = await ada.get('user.me');
    const { status, body } = await update({
      id: '00000000-0000-7000-8000-000000000000',
      role: 'rootAdmin',
      emailVerified: false,
      suspended: true,
      suspendedAt: '2020-01-01T00:00:00.000Z',
      twoFactorEnabled: true,
      identityVerifiedAt: '2020-01-01T00:00:00.000Z',
      avatarHash: 'x',
      createdAt: '2020-01-01T00:00:00.000Z',
      portalTier: 'enterprise',
      limits: { maxOrganizations: null },
      displayName: 'Still me',
    });
    expect(status).toBe(200);
    expect(body).toEqual({ ...before, displayName: 'Still me', updatedAt: body.updatedAt });
  });

  test('merges known settings and drops unknown ones', async () => {
    await update({ settings: { theme: 'dark', locale: 'de-AT' } });
    const { body } = await update({ settings: { locale: null, timeZone: 'Europe/Vienna', admin: true } });
    expect(body.settings).toEqual({ theme: 'dark', timeZone: 'Europe/Vienna' });
  });

  test.each([
    ['settings', { settings: { theme: 'pink' } }],
    ['settings', { settings: { locale: 'not a language' } }],
    ['settings', { settings: { timeZone: 'Middle/Earth' } }],
    ['billingCountry', { billingCountry: 'Ireland' }],
    ['billingCountry', { billingCountry: 'ie' }],
    ['dateOfBirth', { dateOfBirth: '2023-02-30' }],
    ['dateOfBirth', { dateOfBirth: '2999-01-01' }],
    ['dateOfBirth', { dateOfBirth: '2025-01-01' }],
    ['firstName', { firstName: 'x'.repeat(65) }],
    ['displayName', { displayName: 'two\nlines' }],
    ['email', { email: 'nobody', currentPassword: PASSWORD }],
  ])('refuses a bad %s', async (field, input) => {
    const { status, body } = await update(input);
    expect(status).toBe(400);
    expect(body.issues[0].path[0]).toBe(field);
  });

  test('the date of birth is locked once the identity was verified', async () => {
    const eve = await h.user();
    await eve.post('user.update', { dateOfBirth: '1990-01-01' });
    await h.sql`update users set identity_verified_at = now() where id = ${eve.id}`;
    const locked = await eve.post('user.update', { dateOfBirth: '1980-01-01' });
    expect([locked.status, locked.body.data.reason]).toEqual([412, 'date_of_birth_locked']);
    expect((await eve.post('user.update', { dateOfBirth: '1990-01-01', firstName: 'Eve' })).status).toBe(200);
  });
});

describe('a new password', () => {
  test('needs the current one, ends every other session, and is told', async () => {
    const ada = await h.user();
    const elsewhere = httpCaller(h.baseUrl, { cookie: await h.signIn(ada.id) });
    for (const currentPassword of [undefined, 'Wrong-horse-1']) {
      const { status, body } = await ada.post('user.update', { password: NEW_PASSWORD, currentPassword });
      expect([status, body.issues[0].path]).toEqual([400, ['currentPassword']]);
    }
    const weak = await ada.post('user.update', { password: 'weak', currentPassword: PASSWORD });
    expect([weak.status, weak.body.data.reason]).toEqual([400, 'weak_password']);
    expect((await elsewhere.get('user.me')).status).toBe(200);

    const input = { password: NEW_PASSWORD, currentPassword: PASSWORD };
    expect((await ada.post('user.update', input)).status).toBe(200);
    expect((await ada.get('user.me')).status).toBe(200);
    expect((await elsewhere.get('user.me')).status).toBe(401);
    expect((await signIn(ada.email, PASSWORD)).status).toBe(401);
    expect((await signIn(ada.email, NEW_PASSWORD)).status).toBe(200);
    const mails = await mailsTo(h, ada.email);
    expect(mails.map(({ subject }) => subject)).toContain('Your password was changed');
  });

  test('of two changes at once with the old password one wins', async () => {
    const ada = await h.user();
    const change = (password: string) => ada.post('user.update', { password, currentPassword: PASSWORD });
    const replies = await Promise.all([change('First-horse-1'), change('Second-horse-2')]);
    expect(replies.map(({ status }) => status).sort()).toEqual([200, 400]);
  });

  test('an empty one, as Dokploy’s form sends it, changes nothing', async () => {
    const ada = await h.user();
    const input = { firstName: 'Ada', password: '', currentPassword: '' };
    expect((await ada.post('user.update', input)).status).toBe(200);
    expect((await signIn(ada.email, PASSWORD)).status).toBe(200);
  });

  test('the current one cannot be guessed from a session', async () => {
    const ada = await h.user();
    const guess = (n: number) =>
      ada.post('user.update', { password: NEW_PASSWORD, currentPassword: `Wrong-${n}` });
    for (let n = 0; n < 10; n += 1) expect((await guess(n)).status).toBe(400);
    const { status, headers } = await guess(10);
    expect(status).toBe(429);
    expect(Number(headers.get('retry-after'))).toBeGreaterThan(60);
  });
});

describe('a new address', () => {
  test('is asked first, the present one is told, and only the newest link counts', async () => {
    const ada = await h.user();
    const ask = (email: string, currentPassword?: string) =>
      ada.post('user.update', { email, currentPassword });
    expect((await ask('new@example.org')).body.data.reason).toBe('password_required');
    expect((await ask('first@example.org', PASSWORD)).body).toMatchObject({
      pendingEmail: 'first@example.org',
    });
    const first = tokenOf(await linkTo(h, 'first@example.org'));
    const { body } = await ask(' New@Example.org ', PASSWORD);
    expect(body).toMatchObject({ email: ada.email, emailVerified: true, pendingEmail: 'new@example.org' });
    const subjects = (await mailsTo(h, ada.email)).map(({ subject }) => subject);
    expect(subjects).toContain('Your e-mail address is about to change');

    expect((await h.anonymous.post('auth/verify-email', { token: first })).status).toBe(400);
    const token = tokenOf(await linkTo(h, 'new@example.org'));
    expect((await h.anonymous.post('auth/verify-email', { token })).status).toBe(200);
    expect((await ada.get('user.me')).body).toMatchObject({
      email: 'new@example.org',
      emailVerified: true,
      pendingEmail: null,
    });
    expect((await signIn('new@example.org', PASSWORD)).status).toBe(200);
    expect((await signIn(ada.email, PASSWORD)).status).toBe(401);
    expect((await mailsTo(h, ada.email)).at(-1)?.subject).toBe('Your e-mail address was changed');
    expect((await h.anonymous.post('auth/verify-email', { token })).status).toBe(400);
  });

  test('is mailed three links in a quarter of an hour, whoever asks', async () => {
    const email = 'stranger@example.net';
    const people = [await h.user(), await h.user(), await h.user(), await h.user()];
    const replies: Reply[] = [];
    for (const person of people) {
      replies.push(await person.post('user.update', { email, currentPassword: PASSWORD }));
    }
    expect(replies.map(({ status }) => status)).toEqual([200, 200, 200, 429]);
    expect(replies[3]?.headers.get('ratelimit')).toMatch(/^"too_many_attempts";r=0;t=\d+$/);
    expect(replies[3]?.headers.get('ratelimit-policy')).toBeNull();
  });

  test('without the password uses up none of them', async () => {
    const [ada, eve] = [await h.user(), await h.user()];
    const email = 'wished-for@example.net';
    for (const currentPassword of [undefined, 'Wrong-horse-1', 'Wrong-horse-2']) {
      expect((await eve.post('user.update', { email, currentPassword })).status).toBe(400);
    }
    const asked = await ada.post('user.update', { email, currentPassword: PASSWORD });
    expect([asked.status, asked.body.pendingEmail]).toEqual([200, email]);
  });

  test('that has an account is refused, also when it gets one in between', async () => {
    const [ada, eve] = [await h.user(), await h.user()];
    const taken = await ada.post('user.update', { email: eve.email, currentPassword: PASSWORD });
    expect([taken.status, taken.body.data.reason]).toEqual([409, 'email_taken']);
    const email = 'wanted@example.org';
    await ada.post('user.update', { email, currentPassword: PASSWORD });
    const token = tokenOf(await linkTo(h, email));
    await h.user({ email });
    expect((await h.anonymous.post('auth/verify-email', { token })).status).toBe(409);
    expect((await ada.get('user.me')).body.email).toBe(ada.email);
  });

  test('ends open links to choose a new password, which prove the one before', async () => {
    const ada = await h.user();
    await h.anonymous.post('auth/request-password-reset', { email: ada.email });
    const reset = tokenOf(await linkTo(h, ada.email));
    await ada.post('user.update', { email: 'moved@example.org', currentPassword: PASSWORD });
    const token = tokenOf(await linkTo(h, 'moved@example.org'));
    await h.anonymous.post('auth/verify-email', { token });
    const late = await h.anonymous.post('auth/reset-password', { token: reset, newPassword: NEW_PASSWORD });
    expect(late.status).toBe(400);
  });
});
