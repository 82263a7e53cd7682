import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { browser, TWO_FACTOR_COOKIE } from '../support/browser.ts';
import { createHarness, type Harness, httpCaller, PASSWORD, statuses, times } from '../support/harness.ts';
import { mailsTo } from '../support/links.ts';
import { codeOf, hotp } from '../support/otp.ts';
import { enableTwoFactor, nextCode } from '../support/two-factor.ts';

let h: Harness;
beforeAll(async () => {
  h = await createHarness();
});
afterAll(() => h[Symbol.asyncDispose]());

const WRONG = { password: 'Wrong-horse-1' };

describe('what these tests take for an authenticator app', () => {
  const KEY = Buffer.from('12345678901234567890');

  test('makes the values of RFC 4226, appendix D', () => {
    const expected = '755224 287082 359152 969429 338314 254676 287922 162583 399871 520489';
    expect(times(10, (count) => hotp(KEY, count)).join(' ')).toBe(expected);
  });

  test.each([
    [59, '94287082'],
    [1111111109, '07081804'],
    [1111111111, '14050471'],
    [1234567890, '89005924'],
    [2000000000, '69279037'],
    [20000000000, '65353130'],
  ])('makes the value of RFC 6238, appendix B, at %i s', (seconds, expected) => {
    expect(hotp(KEY, Math.floor(seconds / 30), 8)).toBe(expected);
  });
});

describe('enabling', () => {
  test('needs the right password, and is counted', async () => {
    const user = await h.user();
    for (const [input, reason] of [
      [WRONG, 'wrong_password'],
      [{ password: '' }, 'wrong_password'],
      [{}, undefined],
    ] as const) {
      const { status, body } = await user.post('auth/two-factor/enable', input);
      expect(status).toBe(400);
      expect(body.issues).toMatchObject([{ path: ['password'] }]);
      if (reason !== undefined) expect(body.data.reason).toBe(reason);
    }
    expect(await h.sql`select 1 from two_factors where user_id = ${user.id}`).toEqual([]);
    const more = await Promise.all(times(9, () => user.post('auth/two-factor/enable', WRONG)));
    expect(statuses(more)).toEqual([...times(8, () => 400), 429]);
  });

  test('is not begun by a password that is changed meanwhile', async () => {
    const user = await h.user();
    const [reply] = await h.race(
      user.id,
      [() => user.post('auth/two-factor/enable', { password: PASSWORD })],
      (tx) => tx`update accounts set password = 'another' where user_id = ${user.id}`,
      'users',
    );
    expect(reply?.body.data.reason).toBe('wrong_password');
    expect(await h.sql`select 1 from two_factors where user_id = ${user.id}`).toEqual([]);
  });

  test('makes what an app reads: 160 bits, and whose account it is', async () => {
    const user = await h.user();
    const { body } = await user.post('auth/two-factor/enable', { password: PASSWORD });
    const uri = new URL(body.totpURI);
    expect(uri.protocol + uri.host).toBe('otpauth:totp');
    expect(decodeURIComponent(uri.pathname)).toBe(`/Tenantry:${user.email}`);
    expect(Object.fromEntries(uri.searchParams)).toEqual({
      issuer: 'Tenantry',
      secret: expect.stringMatching(/^[A-Z2-7]{32}$/),
      algorithm: 'SHA1',
      digits: '6',
      period: '30',
    });
    expect(new Set(body.backupCodes).size).toBe(10);
    for (const code of body.backupCodes) expect(code).toMatch(/^[a-z0-9]{5}-[a-z0-9]{5}$/);
  });

  test('has no effect until the first code is given, and asked for again replaces the secret', async () => {
    const user = await h.user();
    const first = await user.post('auth/two-factor/enable', { password: PASSWORD });
    const second = await user.post('auth/two-factor/enable', { password: PASSWORD });
    const signedIn = await browser(h).signIn(user.email, PASSWORD);
    expect(signedIn.body.user).toMatchObject({ id: user.id, twoFactorEnabled: false });
    const confirm = (uri: string) =>
      user.post('auth/two-factor/verify-totp', { code: codeOf(uri, h.app.deps.now()) });

    const old = await confirm(first.body.totpURI);
    expect(old.status).toBe(400);
    expect(old.body).toMatchObject({ issues: [{ path: ['code'] }], data: { reason: 'invalid_code' } });
    expect((await confirm(second.body.totpURI)).status).toBe(200);
    expect((await browser(h).signIn(user.email, PASSWORD)).body.twoFactorRedirect).toBe(true);
    expect((await user.get('auth/get-session')).body.user.twoFactorEnabled).toBe(true);
  });

  test('is not confirmed without having been begun', async () => {
    const user = await h.user();
    const reply = await user.post('auth/two-factor/verify-totp', { code: '123456' });
    expect({ status: reply.status, reason: reply.body.data.reason }).toEqual({
      status: 400,
      reason: 'invalid_code',
    });
  });

  test('ends the other sessions, tells by mail, and leaves a trail without secrets', async () => {
    const user = await h.user();
    const elsewhere = httpCaller(h.baseUrl, { cookie: await h.signIn(user.id) });
    const { uri, recoveryCodes } = await enableTwoFactor(h, user);
    expect((await user.get('user.session')).status).toBe(200);
    expect((await elsewhere.get('user.session')).status).toBe(401);
    const subjects = (await mailsTo(h, user.email)).map(({ subject }) => subject);
    expect(subjects).toEqual(['Two-factor authentication is on']);
    const trail = await h.sql`select action, before, after from audit_log where user_id = ${user.id}
      and resource_type = 'twoFactor' order by id`;
    expect(trail).toEqual([
      { action: 'enrol', before: null, after: null },
      { action: 'enable', before: null, after: null },
    ]);
    const secret = new URL(uri).searchParams.get('secret') ?? '';
    for (const written of [h.logLines.join(), JSON.stringify(h.mails)]) {
      for (const known of [secret, ...recoveryCodes]) expect(written).not.toContain(known);
    }
  });

  test('leaves nothing in the database that a copy of it would give away', async () => {
    const user = await h.user();
    const { uri, recoveryCodes } = await enableTwoFactor(h, user);
    const secret = new URL(uri).searchParams.get('secret') ?? '';
    const [factor] = await h.sql`select secret from two_factors where user_id = ${user.id}`;
    const stored = await h.sql`select code_hash from recovery_codes where user_id = ${user.id}`;
    expect(stored).toHaveLength(10);
    for (const { codeHash } of stored) expect(codeHash).toMatch(/^[0-9a-f]{64}$/);
    const text = JSON.stringify([factor, stored]);
    const plain = recoveryCodes.flatMap((code) => [code, code.replace('-', '')]);
    for (const known of [secret, Buffer.from(secret).toString('base64').slice(0, 40), ...plain]) {
      expect(text).not.toContain(known);
    }
    // The same secret stored for another account is of no use there.
    const thief = await h.user();
    await h.sql`insert into two_factors (user_id, secret) values (${thief.id}, ${factor?.secret})`;
    const reply = await thief.post('auth/two-factor/verify-totp', { code: codeOf(uri, h.app.deps.now()) });
    expect(reply.status).not.toBe(200);
  });
});

describe('who has stolen a session, and not the password,', () => {
  test.each([
    ['replace the second factor', 'enable', 412],
    ['disable it', 'disable', 400],
    ['get recovery codes', 'generate-backup-codes', 400],
  ])('can not %s', async (_what, path, withPassword) => {
    const user = await h.user();
    const { code } = await enableTwoFactor(h, user);
    const { status, body } = await user.post(`auth/two-factor/${path}`, WRONG);
    expect({ status, reason: body.data.reason }).toEqual({ status: 400, reason: 'wrong_password' });
    if (withPassword === 412) {
      const again = await user.post(`auth/two-factor/${path}`, { password: PASSWORD });
      expect({ status: again.status, reason: again.body.data.reason }).toEqual({
        status: 412,
        reason: 'two_factor_enabled',
      });
    }
    nextCode(h);
    const visitor = browser(h);
    await visitor.signIn(user.email, PASSWORD);
    expect((await visitor.post('auth/two-factor/verify-totp', { code: code() })).status).toBe(200);
  });
});

describe('disabling', () => {
  test('by the password: the password alone signs in again, the holder is told, nothing is left', async () => {
    const user = await h.user();
    const { recoveryCodes } = await enableTwoFactor(h, user);
    const begun = browser(h);
    await begun.signIn(user.email, PASSWORD);
    expect((await user.post('auth/two-factor/disable', { password: PASSWORD })).status).toBe(200);
    expect((await browser(h).signIn(user.email, PASSWORD)).body.user.id).toBe(user.id);
    const subjects = (await mailsTo(h, user.email)).map(({ subject }) => subject);
    expect(subjects).toContain('Two-factor authentication is off');
    expect(await h.sql`select 1 from two_factors where user_id = ${user.id}`).toEqual([]);
    expect(await h.sql`select 1 from recovery_codes where user_id = ${user.id}`).toEqual([]);

    // Neither the old codes nor those of an enrolment that has not been confirmed end a sign-in begun before.
    const { body } = await user.post('auth/two-factor/enable', { password: PASSWORD });
    for (const code of [recoveryCodes[0], body.backupCodes[0]]) {
      expect((await begun.post('auth/two-factor/verify-backup-code', { code })).status).toBe(401);
    }
    expect(begun.cookies.has(TWO_FACTOR_COOKIE)).toBe(true);
  });

  test.each(['disable', 'generate-backup-codes'])('%s is refused where there is none', async (path) => {
    const user = await h.user();
    await user.post('auth/two-factor/enable', { password: PASSWORD });
    const { status, body } = await user.post(`auth/two-factor/${path}`, { password: PASSWORD });
    expect({ status, reason: body.data.reason }).toEqual({ status: 412, reason: 'two_factor_not_enabled' });
  });
});

test.each(['enable', 'disable', 'generate-backup-codes', 'verify-totp', 'verify-backup-code'])(
  'two-factor/%s is nothing for an API key',
  async (path) => {
    const user = await h.user();
    const key = await h.key(user, { scope: 'user' });
    const { status, body } = await key.post(`auth/two-factor/${path}`, {
      password: PASSWORD,
      code: '123456',
    });
    expect(status).toBe(401);
    expect(body.message).toMatch(
      /^Sign in (?:first\. An API key does not do here|with your password first)\.$/,
    );
    expect(await h.sql`select 1 from two_factors where user_id = ${user.id}`).toEqual([]);
  },
);
