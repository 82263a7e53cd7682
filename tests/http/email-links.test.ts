import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { hashSecret } from '../../src/kernel/secrets.ts';
import { createHarness, type Harness, type Reply, statuses } from '../support/harness.ts';
import {
  anotherClient,
  askForLink,
  expectInvalidLink,
  linkTo,
  mailsTo,
  tokenOf,
  unverifiedUser,
} from '../support/links.ts';

const HOUR = 3_600_000;
const NEW_PASSWORD = 'Better-horse-2';

let h: Harness;
beforeAll(async () => {
  h = await createHarness({ TRUSTED_PROXIES: '127.0.0.1' });
});
afterAll(() => h[Symbol.asyncDispose]());

const verify = (token: unknown) => h.anonymous.post('auth/verify-email', { token }, anotherClient());
const reset = (token: unknown, newPassword: unknown = NEW_PASSWORD) =>
  h.anonymous.post('auth/reset-password', { token, newPassword }, anotherClient());
const USES = { verify, reset } as const;
type Kind = keyof typeof USES;
const KINDS: [Kind, number][] = [
  ['verify', 24],
  ['reset', 1],
];

const unverified = () => unverifiedUser(h);
const isVerified = async ({ id }: { id: string }) =>
  (await h.sql`select email_verified from users where id = ${id}`)[0]?.emailVerified as boolean;

describe.each(KINDS)('a link to %s', (kind, hours) => {
  const use = USES[kind];

  test('works once', async () => {
    const user = await unverified();
    const token = tokenOf(await askForLink(h, user.email, kind));
    expect((await use(token)).status).toBe(200);
    expect(await isVerified(user)).toBe(true);
    expectInvalidLink(await use(token));
  });

  test('works once for two who come at the same moment', async () => {
    const user = await unverified();
    const token = tokenOf(await askForLink(h, user.email, kind));
    const replies = await h.race(user.id, [() => use(token), () => use(token)], undefined, 'users');
    expect(statuses(replies)).toEqual([200, 400]);
  });

  test('leads to the page of PUBLIC_URL, whatever the request says of its host', async () => {
    const { email } = await unverified();
    const path = kind === 'reset' ? 'request-password-reset' : 'send-verification-email';
    const evil = { host: 'evil.example', 'x-forwarded-host': 'evil.example', 'x-forwarded-proto': 'https' };
    const { status } = await h.anonymous.post(
      `auth/${path}`,
      { email, callbackURL: '/x', redirectTo: '/x' },
      evil,
    );
    expect(status).toBe(200);
    const link = await linkTo(h, email);
    expect(link.href).toMatch(
      new RegExp(
        `^http://localhost:3000/${kind === 'reset' ? 'reset-password' : 'verify-email'}\\?token=[\\w-]{43}$`,
      ),
    );
    expect((await h.anonymous.send(link.pathname + link.search, {})).status).toBe(200);
    expect(JSON.stringify(h.mails)).not.toContain('evil.example');
  });

  test('changes nothing by GET or any other method', async () => {
    const user = await unverified();
    const token = tokenOf(await askForLink(h, user.email, kind));
    const path = kind === 'reset' ? 'reset-password' : 'verify-email';
    for (const method of ['GET', 'HEAD', 'PUT', 'DELETE', 'OPTIONS', 'PATCH']) {
      const reply = await h.anonymous.send(`/api/auth/${path}?token=${token}&newPassword=${NEW_PASSWORD}`, {
        method,
      });
      expect({ method, status: reply.status, allow: reply.headers.get('allow') }).toEqual({
        method,
        status: 405,
        allow: 'POST',
      });
    }
    expect(await isVerified(user)).toBe(false);
    expect((await use(token)).status).toBe(200);
  });

  test(`holds for ${hours} hours`, async () => {
    const [early, late] = [await unverified(), await unverified()];
    const first = tokenOf(await askForLink(h, early.email, kind));
    const second = tokenOf(await askForLink(h, late.email, kind));
    h.clock.advance(hours * HOUR - 60_000);
    expect((await use(first)).status).toBe(200);
    h.clock.advance(61_000);
    expectInvalidLink(await use(second));
  });

  test('proves the address that it was mailed to and no other', async () => {
    const user = await unverified();
    const token = tokenOf(await askForLink(h, user.email, kind));
    await h.sql`update users set email = ${`new-${user.email}`} where id = ${user.id}`;
    expectInvalidLink(await use(token));
    expect(await isVerified(user)).toBe(false);
  });

  test('is closed by the next one', async () => {
    const user = await unverified();
    const first = tokenOf(await askForLink(h, user.email, kind));
    const second = tokenOf(await askForLink(h, user.email, kind));
    expect(second).not.toBe(first);
    expectInvalidLink(await use(first));
    expect((await use(second)).status).toBe(200);
  });

  test('is not good for anything else', async () => {
    const { email } = await unverified();
    const token = tokenOf(await askForLink(h, email, kind));
    expectInvalidLink(await (kind === 'reset' ? verify(token) : reset(token)));
    expect((await use(token)).status).toBe(200);
  });

  test('lies nowhere but in the mail', async () => {
    const { email } = await unverified();
    const token = tokenOf(await askForLink(h, email, kind));
    const stored =
      await h.sql`select token_hash from email_tokens where email = ${email} and purpose = ${kind}`;
    expect(stored).toEqual([{ tokenHash: hashSecret(token) }]);
    const whole = async () =>
      JSON.stringify([
        await h.sql`select * from jobs`,
        await h.sql`select * from audit_log`,
        await h.sql`select * from email_tokens`,
      ]);
    expect(await whole()).not.toContain(token);
    await h.anonymous.send(`/reset-password?token=${token}`, {});
    await use(token);
    expect(await whole()).not.toContain(token);
    expect(h.logLines.join()).not.toContain(token);
  });

  test('is refused while the account is suspended, and none is sent', async () => {
    const user = await unverified();
    const token = tokenOf(await askForLink(h, user.email, kind));
    const before = (await mailsTo(h, user.email)).length;
    await h.sql`update users set suspended_at = now() where id = ${user.id}`;
    expectInvalidLink(await use(token));
    await askForLink(h, user.email, kind);
    expect(await mailsTo(h, user.email)).toHaveLength(before);
    await h.sql`update users set suspended_at = null where id = ${user.id}`;
    expect((await use(token)).status).toBe(200);
  });

  test.each([undefined, null, 0, true, '', 'x', 'x'.repeat(129), ['x'.repeat(43)], { $ne: null }])(
    'is not %j',
    async (token) => {
      const { status, body } = await use(token);
      expect(status).toBe(400);
      expect(body.issues[0]).toMatchObject({ path: ['token'] });
    },
  );

  test('is sent to nobody where there is no account, and nobody is told so', async () => {
    const { email } = await unverified();
    const path = kind === 'reset' ? 'auth/request-password-reset' : 'auth/send-verification-email';
    const ask = (address: string) => h.anonymous.post(path, { email: address }, anotherClient());
    const known = await ask(email);
    await mailsTo(h, email);
    const unknown = await ask('nobody@example.org');
    await mailsTo(h, 'nobody@example.org');
    const headersOf = ({ headers }: Reply) => [...headers].filter(([name]) => !/date|request-id/.test(name));
    expect({ status: unknown.status, text: unknown.text, headers: headersOf(unknown) }).toEqual({
      status: known.status,
      text: known.text,
      headers: headersOf(known),
    });
    expect(h.mails.some(({ to }) => to === 'nobody@example.org')).toBe(false);
  });
});
