import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { browser } from '../support/browser.ts';
import { createHarness, type Harness, PASSWORD, type TestUser } from '../support/harness.ts';
import { mailsTo } from '../support/links.ts';
import { accountWithFactor, beginSignIn, giveCode, nextCode } from '../support/two-factor.ts';

let h: Harness;
beforeAll(async () => {
  h = await createHarness({ TRUSTED_PROXIES: '127.0.0.1' });
});
afterAll(() => h[Symbol.asyncDispose]());

const sessionsOf = ({ id }: TestUser) => h.sql`select 1 from sessions where user_id = ${id}`;
const from = (address: string, userAgent = 'Test/1.0') => ({
  'x-forwarded-for': address,
  'user-agent': userAgent,
});

describe('a sign-in that is under way', () => {
  const end = (user: TestUser) => h.sql`delete from sessions where user_id = ${user.id}`;

  test('when the password changes opens no session', async () => {
    const user = await h.user();
    await end(user);
    const [reply] = await h.race(
      user.id,
      [() => browser(h).signIn(user.email, PASSWORD)],
      (tx) => tx`update accounts set password = 'another' where user_id = ${user.id}`,
      'users',
    );
    expect(reply?.body.data.reason).toBe('invalid_email_or_password');
    expect(reply?.headers.getSetCookie()).toEqual([]);
    expect(await sessionsOf(user)).toEqual([]);
  });

  test('when the account is suspended opens no session, by password or by code', async () => {
    const user = await h.user();
    const factored = await accountWithFactor(h);
    await end(user);
    await end(factored);
    const begun = await beginSignIn(h, factored);
    for (const [{ id }, attempt] of [
      [user, () => browser(h).signIn(user.email, PASSWORD)],
      [factored, () => giveCode(begun, factored.code())],
    ] as const) {
      const [reply] = await h.race(
        id,
        [attempt],
        (tx) => tx`update users set suspended_at = now() where id = ${id}`,
        'users',
      );
      expect({ status: reply?.status, reason: reply?.body.data.reason }).toEqual({
        status: 403,
        reason: 'account_suspended',
      });
    }
    expect([...(await sessionsOf(user)), ...(await sessionsOf(factored))]).toEqual([]);
  });

  test('when a second factor comes into force opens no session without it', async () => {
    const user = await h.user();
    await end(user);
    const [reply] = await h.race(
      user.id,
      [() => browser(h).signIn(user.email, PASSWORD)],
      (tx) => tx`update users set two_factor_enabled = true where id = ${user.id}`,
      'users',
    );
    expect(reply?.status).toBe(401);
    expect(await sessionsOf(user)).toEqual([]);
  });
});

test('a suspended account is told so to who knows its password, and to nobody else', async () => {
  const user = await h.user();
  await h.sql`update users set suspended_at = now(), suspension_reason = 'Canary' where id = ${user.id}`;
  const wrong = await browser(h).signIn(user.email, 'Wrong-horse-1');
  expect({ status: wrong.status, reason: wrong.body.data.reason }).toEqual({
    status: 401,
    reason: 'invalid_email_or_password',
  });
  const right = await browser(h).signIn(user.email, PASSWORD);
  expect({ status: right.status, reason: right.body.data.reason }).toEqual({
    status: 403,
    reason: 'account_suspended',
  });
  expect(right.text).not.toContain('Canary');
});

describe('the holder of an account', () => {
  test('is told by mail of a sign-in from a new address, not of the first one, and of none twice', async () => {
    const { email } = await h.user();
    const noticesAfter = async (address: string, userAgent?: string) => {
      expect((await browser(h, from(address, userAgent)).signIn(email, PASSWORD)).status).toBe(200);
      return (await mailsTo(h, email)).map(({ subject }) => subject);
    };
    expect(await noticesAfter('203.0.113.1')).toEqual([]);
    expect(await noticesAfter('203.0.113.1')).toEqual([]);
    expect(await noticesAfter('203.0.113.2', '<b>Canary</b>')).toEqual(['New sign-in to your account']);
    expect(await noticesAfter('203.0.113.2')).toHaveLength(1);
    expect(await noticesAfter('203.0.113.1')).toHaveLength(1);
    const [mail] = await mailsTo(h, email);
    expect(mail?.text).toContain('from 203.0.113.2 with <b>Canary</b>');
    expect(mail?.html).not.toContain('<b>Canary');
  });

  test('is not told of attempts that failed', async () => {
    const { email } = await h.user();
    await browser(h, from('203.0.113.1')).signIn(email, PASSWORD);
    await browser(h, from('203.0.113.9')).signIn(email, 'Wrong-horse-1');
    expect(await mailsTo(h, email)).toEqual([]);
  });

  test('is told of a new address also after a second factor, once the code was right', async () => {
    const user = await accountWithFactor(h);
    const elsewhere = browser(h, from('203.0.113.1'));
    await elsewhere.signIn(user.email, PASSWORD);
    expect((await giveCode(elsewhere, user.code())).status).toBe(200);
    nextCode(h);
    const visitor = browser(h, from('203.0.113.8'));
    await visitor.signIn(user.email, PASSWORD);
    const before = (await mailsTo(h, user.email)).length;
    expect((await giveCode(visitor, user.code())).status).toBe(200);
    const mails = await mailsTo(h, user.email);
    expect(mails.slice(before).map(({ subject }) => subject)).toEqual(['New sign-in to your account']);
  });
});
