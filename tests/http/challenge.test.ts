import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { browser, SESSION_COOKIE, TWO_FACTOR_COOKIE } from '../support/browser.ts';
import { createHarness, type Harness, PASSWORD } from '../support/harness.ts';
import { askForLink, tokenOf } from '../support/links.ts';
import {
  accountWithFactor,
  beginSignIn,
  expectRefused,
  giveCode,
  giveRecoveryCode,
} from '../support/two-factor.ts';

let h: Harness;
beforeAll(async () => {
  h = await createHarness();
});
afterAll(() => h[Symbol.asyncDispose]());

const account = () => accountWithFactor(h);
const begun = (user: { email: string }) => beginSignIn(h, user);

describe('a challenge', () => {
  test('lasts ten minutes', async () => {
    const user = await account();
    const late = await begun(user);
    h.clock.advance(601_000);
    expectRefused(await giveCode(late, user.code()), 'two_factor_expired');
    const inTime = await begun(user);
    h.clock.advance(595_000);
    expect((await giveCode(inTime, user.code())).status).toBe(200);
  });

  test('dies with the password that it was given for', async () => {
    const user = await account();
    const visitor = await begun(user);
    const token = tokenOf(await askForLink(h, user.email, 'reset'));
    const changed = await h.anonymous.post('auth/reset-password', { token, newPassword: 'Better-horse-2' });
    expect(changed.status).toBe(200);
    expectRefused(await giveCode(visitor, user.code()), 'invalid_email_or_password');
    expectRefused(await giveRecoveryCode(visitor, user.recoveryCodes[0]), 'invalid_email_or_password');
  });

  test('is of one account', async () => {
    const [user, other] = [await account(), await account()];
    expectRefused(await giveCode(await begun(user), other.code()));
  });

  test('of an account that was suspended meanwhile is refused', async () => {
    const user = await account();
    const visitor = await begun(user);
    await h.sql`update users set suspended_at = now() where id = ${user.id}`;
    for (const reply of [
      await giveCode(visitor, user.code()),
      await giveRecoveryCode(visitor, user.recoveryCodes[0]),
      await browser(h).signIn(user.email, PASSWORD),
    ]) {
      expect({ status: reply.status, reason: reply.body.data.reason }).toEqual({
        status: 403,
        reason: 'account_suspended',
      });
    }
  });

  test('is none that somebody made up, nor a session, and a session is no challenge', async () => {
    const user = await account();
    const visitor = await begun(user);
    const sealed = visitor.cookies.get(TWO_FACTOR_COOKIE) ?? '';
    const [session = ''] = user.cookie.split('=').slice(1);
    const forged = [
      '',
      'x',
      session,
      sealed.slice(1),
      sealed.slice(0, -4),
      sealed.replace(/^./, (first) => (first === 'A' ? 'B' : 'A')),
      encodeURIComponent(decodeURIComponent(sealed).split('.')[0] ?? ''),
      `${sealed}${sealed}`,
    ];
    for (const value of forged) {
      const reply = await h.anonymous.post(
        'auth/two-factor/verify-totp',
        { code: user.code() },
        { cookie: `${TWO_FACTOR_COOKIE}=${value}` },
      );
      expectRefused(reply, 'two_factor_expired');
    }
    const asSession = await h.anonymous.send('/api/user.session', {
      headers: { cookie: `${SESSION_COOKIE}=${sealed}` },
    });
    expect(asSession.status).toBe(401);
    expect((await giveCode(visitor, user.code())).status).toBe(200);
  });

  test('goes before the session of somebody else in the same browser', async () => {
    const [user, other] = [await account(), await h.user()];
    const visitor = browser(h);
    await visitor.signIn(other.email, PASSWORD);
    await visitor.signIn(user.email, PASSWORD);
    expect([...visitor.cookies.keys()]).toEqual([TWO_FACTOR_COOKIE]);
    expect((await giveCode(visitor, user.code())).body.user.id).toBe(user.id);
  });
});
