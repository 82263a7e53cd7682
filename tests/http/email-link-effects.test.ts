import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { issueLink } from '../../src/domain/email-link/index.ts';
import { newId } from '../../src/kernel/ids.ts';
import { newEnrolment, untilBlocked } from '../api/stage.ts';
import { browser } from '../support/browser.ts';
import {
  createHarness,
  type Harness,
  httpCaller,
  PASSWORD,
  type Reply,
  statuses,
  times,
} from '../support/harness.ts';
import {
  anotherClient,
  askForLink,
  expectInvalidLink,
  linkTo,
  mailsTo,
  tokenOf,
  unverifiedUser,
} from '../support/links.ts';
import { newPublicKey } from '../support/ssh-keys.ts';
import { enableTwoFactor } from '../support/two-factor.ts';

const NEW_PASSWORD = 'Better-horse-2';

let h: Harness;
beforeAll(async () => {
  h = await createHarness({ TRUSTED_PROXIES: '127.0.0.1' });
});
afterAll(() => h[Symbol.asyncDispose]());

const verify = (token: unknown) => h.anonymous.post('auth/verify-email', { token }, anotherClient());
const reset = (token: unknown, newPassword: unknown = NEW_PASSWORD) =>
  h.anonymous.post('auth/reset-password', { token, newPassword }, anotherClient());

test('an address that is verified needs no mail to verify it', async () => {
  const { email } = await h.user();
  await h.anonymous.post('auth/send-verification-email', { email });
  expect(await mailsTo(h, email)).toEqual([]);
});

test('an address has three mails of a kind in a quarter of an hour, whether it has an account or not', async () => {
  const { email } = await unverifiedUser(h);
  for (const address of [email, 'absent@example.org']) {
    const ask = (i: number) =>
      h.anonymous.post(
        'auth/request-password-reset',
        { email: i % 2 === 0 ? address : ` ${address.toUpperCase()}` },
        { 'x-forwarded-for': `198.51.100.${i}` },
      );
    const replies = [await ask(1), await ask(2), await ask(3), await ask(4)];
    expect(replies.map(({ status }) => status)).toEqual([200, 200, 200, 429]);
    expect(Number(replies[3]?.headers.get('retry-after'))).toBeLessThanOrEqual(900);
  }
  expect((await h.anonymous.post('auth/send-verification-email', { email })).status).toBe(200);
});

test('a client has 60 tries of tokens a minute', async () => {
  const client = anotherClient();
  const attempt = (path: string) =>
    h.anonymous.post(path, { token: 'x'.repeat(43), newPassword: NEW_PASSWORD }, client);
  const replies = await Promise.all(
    times(60, (i) => attempt(i % 2 === 0 ? 'auth/verify-email' : 'auth/reset-password')),
  );
  expect(statuses(replies)).toEqual(times(60, () => 400));
  expect((await attempt('auth/verify-email')).status).toBe(429);
  expect((await attempt('auth/reset-password')).status).toBe(429);
});

describe('a new password by mail', () => {
  test('ends every session, closes other links, proves the address, and tells the holder', async () => {
    const user = await unverifiedUser(h);
    const elsewhere = httpCaller(h.baseUrl, { cookie: await h.signIn(user.id) });
    const token = tokenOf(await askForLink(h, user.email, 'reset'));
    expect((await reset(token)).headers.getSetCookie()).toEqual([]);
    for (const caller of [user, elsewhere]) expect((await caller.get('user.session')).status).toBe(401);
    expect((await browser(h).signIn(user.email, PASSWORD)).status).toBe(401);
    expect((await browser(h).signIn(user.email, NEW_PASSWORD)).status).toBe(200);
    expect(await h.sql`select email_verified from users where id = ${user.id}`).toEqual([
      { emailVerified: true },
    ]);
    expect((await mailsTo(h, user.email)).map(({ subject }) => subject)).toContain(
      'Your password was changed',
    );
    const trail = await h.sql`select before, after from audit_log
      where user_id = ${user.id} and action = 'resetPassword'`;
    expect(trail).toEqual([{ before: { emailVerified: false }, after: { emailVerified: true } }]);
  });

  /** An account with whatever lets somebody in besides the password. */
  async function withAccess(verified: boolean) {
    const user = await h.user({ verified });
    await enableTwoFactor(h, user);
    const key = await h.key(user, { scope: 'user' });
    expect((await user.post('sshKey.create', { name: 'old', publicKey: newPublicKey() })).status).toBe(200);
    await h.sql`insert into tunnel_devices (id, user_id, name, token_hash)
      values (${newId()}, ${user.id}, 'old', ${user.id})`;
    const { deviceCode } = await newEnrolment(h, { approvedBy: user.id });
    const token = tokenOf(await askForLink(h, user.email, 'reset'));
    expect((await reset(token)).status).toBe(200);
    const [left] = await h.sql`
      select (select count(*)::int from ssh_keys where user_id = ${user.id}) as ssh_keys,
        (select count(*)::int from tunnel_devices where user_id = ${user.id}) as devices,
        (select count(*)::int from recovery_codes where user_id = ${user.id}) > 0 as codes`;
    return {
      left,
      byKey: await key.get('organization.all'),
      byDevice: await h.anonymous.post('tunnelDevice.poll', { deviceCode }),
      signedIn: await browser(h).signIn(user.email, NEW_PASSWORD),
    };
  }

  test('that proves the address for the first time ends what whoever made the account could get in by', async () => {
    const { left, byKey, byDevice, signedIn } = await withAccess(false);
    expect(byKey.status).toBe(401);
    expect([byDevice.status, byDevice.body.data?.reason]).toEqual([400, 'expired_token']);
    expect([signedIn.status, signedIn.body.redirect]).toEqual([200, false]);
    expect(left).toEqual({ sshKeys: 0, devices: 0, codes: false });
  });

  test('of an address that was proved before leaves keys, devices and the second factor', async () => {
    const { left, byKey, byDevice, signedIn } = await withAccess(true);
    expect(byKey.status).toBe(200);
    expect(byDevice.status).toBe(200);
    expect(signedIn.body.twoFactorRedirect).toBe(true);
    expect(left).toEqual({ sshKeys: 1, devices: 1, codes: true });
  });

  test('must be a good one, and a weak one does not use the link up', async () => {
    const { email } = await h.user();
    const token = tokenOf(await askForLink(h, email, 'reset'));
    for (const weak of ['', 'Sh0rt-x', 'nouppercase-1', 'x'.repeat(129), null, ['Better-horse-2']]) {
      const { status, body } = await reset(token, weak);
      expect(status).toBe(400);
      expect(body.issues).toMatchObject([{ path: ['newPassword'] }]);
    }
    expect((await reset(token)).status).toBe(200);
  });

  test('leaves the second factor in force', async () => {
    const user = await h.user();
    await enableTwoFactor(h, user);
    await reset(tokenOf(await askForLink(h, user.email, 'reset')));
    const { body } = await browser(h).signIn(user.email, NEW_PASSWORD);
    expect(body).toMatchObject({ twoFactorRedirect: true });
  });
});

describe('a change of address', () => {
  async function asked(newEmail: string) {
    const user = await h.user();
    await h.app.deps.db.transaction((tx) =>
      issueLink(tx, h.app.deps, { userId: user.id, purpose: 'change', email: newEmail }),
    );
    return { user, token: tokenOf(await linkTo(h, newEmail)) };
  }

  test('is done by the link, tells the address before, and closes what was mailed to that', async () => {
    const { user, token } = await asked('moved@example.org');
    const stale = tokenOf(await askForLink(h, user.email, 'reset'));
    expect((await verify(token)).body).toEqual({ status: true, email: 'moved@example.org' });
    expect(await h.sql`select 1 from email_tokens where user_id = ${user.id}`).toEqual([]);
    expectInvalidLink(await reset(stale));
    expectInvalidLink(await verify(token));
    expect((await user.get('auth/get-session')).body.user.email).toBe('moved@example.org');
    const told = (await mailsTo(h, user.email)).find(({ subject }) =>
      subject.endsWith('address was changed'),
    );
    expect(told?.text).toContain('moved@example.org');
    expect((await browser(h).signIn('moved@example.org', PASSWORD)).status).toBe(200);
  });

  test('that somebody asked for with the old password ends with it', async () => {
    const { user, token } = await asked('thief@example.org');
    const reply = await reset(tokenOf(await askForLink(h, user.email, 'reset')));
    expect(reply.status).toBe(200);
    expectInvalidLink(await verify(token));
    expect(await h.sql`select email from users where id = ${user.id}`).toEqual([{ email: user.email }]);
  });

  test('is refused when the address has an account by now', async () => {
    const { user, token } = await asked('wanted@example.org');
    await h.user({ email: 'wanted@example.org' });
    const { status, body } = await verify(token);
    expect({ status, reason: body.data.reason }).toEqual({ status: 409, reason: 'email_taken' });
    expect((await user.get('auth/get-session')).body.user.email).toBe(user.email);
  });

  test('is refused also when another account is just taking it', async () => {
    const { token } = await asked('both@example.org');
    const other = await h.user();
    let reply: Promise<Reply> | undefined;
    await h.sql.begin(async (tx) => {
      await tx`update users set email = 'both@example.org' where id = ${other.id}`;
      reply = verify(token);
      await untilBlocked(h, 1);
    });
    expect((await reply)?.status).toBe(409);
  });
});
