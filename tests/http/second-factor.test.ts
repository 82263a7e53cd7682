import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Browser, browser, SESSION_COOKIE, TWO_FACTOR_COOKIE } from '../support/browser.ts';
import { createHarness, type Harness, PASSWORD, type Reply, statuses, times } from '../support/harness.ts';
import { mailsTo } from '../support/links.ts';
import {
  accountWithFactor,
  beginSignIn,
  enableTwoFactor,
  expectRefused,
  giveCode,
  giveRecoveryCode,
  nextCode,
} from '../support/two-factor.ts';

let h: Harness;
beforeAll(async () => {
  h = await createHarness();
});
afterAll(() => h[Symbol.asyncDispose]());

const account = () => accountWithFactor(h);
const begun = (user: { email: string }, more?: object) => beginSignIn(h, user, more);

/** Requests that reach the account's row at the same moment. */
const atOnce = ({ id }: { id: string }, requests: (() => Promise<Reply>)[]) =>
  h.race(id, requests, undefined, 'users');

describe('a sign-in with a second factor', () => {
  test('is answered with a challenge and no session', async () => {
    const user = await account();
    const { status, body, headers } = await browser(h).signIn(user.email, PASSWORD);
    expect({ status, body }).toEqual({
      status: 200,
      body: { twoFactorRedirect: true, twoFactorMethods: ['totp'] },
    });
    const set = headers.getSetCookie().filter((cookie) => !cookie.includes('Max-Age=0'));
    expect(set).toHaveLength(1);
    expect(set[0]).toMatch(
      new RegExp(`^${TWO_FACTOR_COOKIE}=.*; Max-Age=600; Path=/; HttpOnly; SameSite=Lax$`),
    );
    expect(await h.sql`select 1 from sessions where user_id = ${user.id}`).toHaveLength(1); // the one before
  });

  test('is refused for a wrong password as any other', async () => {
    const { email } = await account();
    const reply = await browser(h).signIn(email, 'Wrong-horse-1');
    expectRefused(reply, 'invalid_email_or_password');
    expect(reply.headers.getSetCookie()).toEqual([]);
  });

  test('ends with the code: a session, no challenge any more, and a trail of how', async () => {
    const user = await account();
    const visitor = await begun(user);
    const reply = await giveCode(visitor, ` ${user.code()} `);
    expect({ status: reply.status, id: reply.body.user.id }).toEqual({ status: 200, id: user.id });
    expect(reply.headers.getSetCookie().join()).toMatch(/session_token=[^;]+; Max-Age=2592000/);
    expect([...visitor.cookies.keys()]).toEqual([SESSION_COOKIE]);
    expect((await visitor.get('user.session')).body.user.id).toBe(user.id);
    const logins = await h.sql`select after from audit_log where user_id = ${user.id} and action = 'login'`;
    expect(logins.map(({ after }) => after.method)).toEqual(['totp']);
  });

  test('keeps what was said of remembering', async () => {
    const user = await account();
    const reply = await giveCode(await begun(user, { rememberMe: false }), user.code());
    expect(reply.headers.getSetCookie().find((cookie) => cookie.startsWith(SESSION_COOKIE))).not.toMatch(
      /Max-Age/,
    );
  });
});

describe('a code of the app', () => {
  test('is accepted once, and the one that confirmed the app not again', async () => {
    const user = await h.user();
    const { code } = await enableTwoFactor(h, user);
    const first = await begun(user);
    const used = code();
    expectRefused(await giveCode(first, used));
    nextCode(h);
    expectRefused(await giveCode(first, used));
    const fresh = code();
    expect((await giveCode(first, fresh)).status).toBe(200);
    expectRefused(await giveCode(await begun(user), fresh));
  });

  test('is accepted once by two who come at the same moment', async () => {
    const user = await account();
    const visitors = [await begun(user), await begun(user)];
    const code = user.code();
    const replies = await atOnce(
      user,
      visitors.map((visitor) => () => giveCode(visitor, code)),
    );
    expect(statuses(replies)).toEqual([200, 401]);
  });

  test.each([-1, 0, 1])('of %i steps from now is accepted: clocks differ', async (steps) => {
    const user = await account();
    nextCode(h);
    expect((await giveCode(await begun(user), user.code(steps))).status).toBe(200);
  });

  test.each([-3, -2, 2, 3])('of %i steps from now is not', async (steps) => {
    const user = await account();
    for (let n = 0; n < 3; n += 1) nextCode(h);
    expectRefused(await giveCode(await begun(user), user.code(steps)));
  });

  test('older than one that was accepted is refused', async () => {
    const user = await account();
    nextCode(h);
    expect((await giveCode(await begun(user), user.code(1))).status).toBe(200);
    const visitor = await begun(user);
    expectRefused(await giveCode(visitor, user.code(0)));
    expectRefused(await giveCode(visitor, user.code(-1)));
  });

  test.each([
    ['', 400],
    ['12345', 400],
    ['1234567', 400],
    ['１２３４５６', 400],
    ['12345a', 400],
    ['-12345', 400],
    [123456, 400],
    [['123456'], 400],
    [null, 400],
  ])('is six digits, not %j', async (code, status) => {
    const visitor = browser(h);
    const reply = await visitor.post('auth/two-factor/verify-totp', { code });
    expect(reply.status).toBe(status);
    expect(reply.body.issues).toMatchObject([{ path: ['code'] }]);
  });

  test('may be tried ten times in a quarter of an hour, over all that was begun', async () => {
    const user = await account();
    const other = await account();
    const visitors = [await begun(user), await begun(user)];
    const wrong = times(9, (i) => visitors[i % 2] as Browser).map((visitor) => giveCode(visitor, '000000'));
    expect(statuses(await Promise.all(wrong))).toEqual(times(9, () => 401));
    expectRefused(await giveCode(await begun(user), '000000'));
    for (const give of [
      () => giveCode(visitors[0] as Browser, user.code()),
      async () => giveRecoveryCode(await begun(user), user.recoveryCodes[0]),
    ]) {
      const { status, headers } = await give();
      expect(status).toBe(429);
      expect(Number(headers.get('retry-after'))).toBeGreaterThan(600);
      expect(Number(headers.get('retry-after'))).toBeLessThanOrEqual(900);
    }
    expect((await giveCode(await begun(other), other.code())).status).toBe(200);
  });
});

describe('codes that are given in a session', () => {
  test('do not use up those of a sign-in: who has found a session keeps nobody out', async () => {
    const user = await account();
    const give = () => user.post('auth/two-factor/verify-totp', { code: '000000' });
    const given = await Promise.all(times(9, give)); // enrolling was one
    expect(statuses(given)).toEqual(times(9, () => 412));
    expect((await give()).status).toBe(429);
    expect((await giveCode(await begun(user), user.code())).status).toBe(200);
  });
});

describe('a recovery code', () => {
  test('signs in once, however it is written, and the holder is told', async () => {
    const user = await account();
    const [code = '', second = ''] = user.recoveryCodes;
    const visitor = await begun(user);
    expect((await giveRecoveryCode(visitor, ` ${code.toUpperCase()} `)).status).toBe(200);
    expect((await visitor.get('user.session')).body.user.id).toBe(user.id);
    const mail = (await mailsTo(h, user.email)).find(({ subject }) => subject === 'A recovery code was used');
    expect(mail?.text).toContain('Codes left: 9.');
    expect(mail?.text).not.toContain(code);

    const again = await begun(user);
    expectRefused(await giveRecoveryCode(again, code));
    expect((await giveRecoveryCode(again, second.replace('-', ' '))).status).toBe(200);
  });

  test('signs in once by two who come at the same moment', async () => {
    const user = await account();
    const visitors = [await begun(user), await begun(user)];
    const replies = await atOnce(
      user,
      visitors.map((visitor) => () => giveRecoveryCode(visitor, user.recoveryCodes[0])),
    );
    expect(statuses(replies)).toEqual([200, 401]);
    expect(await h.sql`select 1 from recovery_codes where user_id = ${user.id}`).toHaveLength(9);
  });

  test('of another account, or replaced since, is worth nothing', async () => {
    const [user, other] = [await account(), await account()];
    const visitor = await begun(user);
    expectRefused(await giveRecoveryCode(visitor, other.recoveryCodes[0]));
    const renewed = await user.post('auth/two-factor/generate-backup-codes', { password: PASSWORD });
    expect(renewed.body).toMatchObject({ status: true, backupCodes: { length: 10 } });
    expectRefused(await giveRecoveryCode(visitor, user.recoveryCodes[0]));
    expect((await giveRecoveryCode(visitor, renewed.body.backupCodes[0])).status).toBe(200);
  });
});
