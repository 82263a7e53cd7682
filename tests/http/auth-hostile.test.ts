import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { TWO_FACTOR_COOKIE } from '../support/browser.ts';
import { createHarness, type Harness, httpCaller, PASSWORD, type TestUser } from '../support/harness.ts';
import { anotherClient } from '../support/links.ts';
import { accountWithFactor, beginSignIn } from '../support/two-factor.ts';

/* Whatever is sent to /api/auth gets an answer that is meant, never a 500. */

let h: Harness;
let user: TestUser;
let challenge: string;
beforeAll(async () => {
  h = await createHarness({ TRUSTED_PROXIES: '127.0.0.1' });
  user = await h.user();
  const begun = await beginSignIn(h, await accountWithFactor(h));
  challenge = `${TWO_FACTOR_COOKIE}=${begun.cookies.get(TWO_FACTOR_COOKIE)}`;
});
afterAll(() => h[Symbol.asyncDispose]());

const TOKEN = 'x'.repeat(43);
const ROUTES: Record<string, Record<string, unknown>> = {
  'sign-up/email': { email: 'new@example.org', password: 'weak', name: 'New' },
  'sign-in/email': { email: 'absent@example.org', password: PASSWORD, rememberMe: true },
  'sign-out': {},
  'send-verification-email': { email: 'absent@example.org' },
  'verify-email': { token: TOKEN },
  'request-password-reset': { email: 'absent@example.org' },
  'reset-password': { token: TOKEN, newPassword: PASSWORD },
  'two-factor/enable': { password: 'wrong' },
  'two-factor/disable': { password: 'wrong' },
  'two-factor/generate-backup-codes': { password: 'wrong' },
  'two-factor/verify-totp': { code: '000000' },
  'two-factor/verify-backup-code': { code: 'zzzzz-zzzzz' },
};
const VALUES: unknown[] = [
  null,
  true,
  0,
  -1,
  1e300,
  '',
  ' ',
  '%',
  "'; drop table users; --",
  '\0',
  'a\0b@example.org',
  '\ud800',
  '\u202e🦊',
  'x'.repeat(900_000),
  `${'a.'.repeat(100_000)}@`,
  `${'a'.repeat(100_000)}@${'b-'.repeat(100_000)}`,
  [],
  [null],
  ['x'],
  {},
  { $gt: '' },
  { toString: null },
  { constructor: { prototype: {} } },
];
const MEANT = new Set([200, 400, 401, 413, 429]);

describe.each(Object.entries(ROUTES))('POST %s', (path, valid) => {
  const callers = () => [
    h.anonymous,
    httpCaller(h.baseUrl, { cookie: user.cookie }),
    httpCaller(h.baseUrl, { cookie: challenge }),
    httpCaller(h.baseUrl, { 'x-api-key': 'nonsense' }),
  ];
  const post = (caller: typeof h.anonymous, body: string, type = 'application/json') =>
    caller.send(`/api/auth/${path}`, {
      method: 'POST',
      body,
      headers: { 'content-type': type, ...anotherClient() },
    });

  test('takes any value of any field', async () => {
    for (const field of Object.keys(valid)) {
      for (const value of VALUES) {
        const [caller = h.anonymous] = callers().slice(VALUES.indexOf(value) % 4);
        const started = performance.now();
        const { status, body } = await post(caller, JSON.stringify({ ...valid, [field]: value }));
        expect({
          field,
          value: String(JSON.stringify(value)).slice(0, 40),
          meant: MEANT.has(status),
          status,
        }).toMatchObject({ meant: true });
        if (status === 400) expect(body.issues[0].path).toBeInstanceOf(Array);
        expect(performance.now() - started).toBeLessThan(5_000);
      }
    }
  });

  test.each([
    '',
    'null',
    'true',
    '0',
    '"x"',
    '[]',
    '[null]',
    '{',
    '{"__proto__":{"code":"000000"}}',
    '\uFEFF{}',
  ])('takes the body %s', async (body) => {
    for (const caller of callers()) {
      if (path === 'sign-out' && caller !== h.anonymous) continue; // the session is needed
      expect(MEANT).toContain((await post(caller, body)).status);
    }
  });

  test('wants JSON, of at most a megabyte', async () => {
    expect((await post(h.anonymous, 'email=x', 'application/x-www-form-urlencoded')).status).toBe(415);
    expect((await post(h.anonymous, '{}', 'text/plain')).status).toBe(415);
    expect((await post(h.anonymous, JSON.stringify({ email: 'x'.repeat(1_100_000) }))).status).toBe(413);
  });

  test('does nothing for a page that nobody trusts, signed in or not', async () => {
    for (const caller of [h.anonymous, user, httpCaller(h.baseUrl, { cookie: challenge })]) {
      for (const origin of ['https://evil.example', 'null', '']) {
        const reply = await caller.post(`auth/${path}`, valid, { origin, ...anotherClient() });
        expect({ status: reply.status, reason: reply.body.data.reason }).toEqual({
          status: 403,
          reason: 'origin_not_trusted',
        });
        expect(reply.headers.getSetCookie()).toEqual([]);
      }
    }
    expect((await user.get('user.session')).status).toBe(200);
  });

  test.each(['GET', 'HEAD', 'OPTIONS', 'PUT', 'PATCH', 'DELETE', 'PROPFIND'])('%s is 405', async (method) => {
    const { status, headers } = await user.send(`/api/auth/${path}`, { method });
    expect({ status, allow: headers.get('allow') }).toEqual({ status: 405, allow: 'POST' });
    expect(headers.getSetCookie()).toEqual([]);
  });
});

test('get-session is read whatever cookies come along', async () => {
  for (const junk of [
    'x=%zz',
    'x="',
    '=;=;;',
    'better-auth.session_data=x.y',
    `x=${'y'.repeat(6_000)}`,
    'ключ=1',
  ]) {
    for (const cookie of [`${user.cookie}; ${junk}`, `${junk}; ${user.cookie}`]) {
      const caller = httpCaller(h.baseUrl, { cookie: Buffer.from(cookie).toString('latin1') });
      const { status, body } = await caller.get('auth/get-session', {
        disableCookieCache: 'x',
        disableRefresh: '[',
      });
      expect({ status, id: body?.user.id }).toEqual({ status: 200, id: user.id });
    }
  }
  const head = await user.send('/api/auth/get-session', { method: 'HEAD' });
  expect({ status: head.status, text: head.text }).toEqual({ status: 200, text: '' });
});

test('a session that is over is forgotten by the browser', async () => {
  const eve = await h.user();
  await h.sql`delete from sessions where user_id = ${eve.id}`;
  const { text, headers } = await eve.get('auth/get-session');
  expect(text).toBe('null');
  expect(headers.getSetCookie().join()).toContain('session_token=; Max-Age=0');
});

test('no audit row of all this has a secret in it', async () => {
  const rows = JSON.stringify(await h.sql`select * from audit_log`);
  const [stored] = await h.sql`select string_agg(password, ' ') as hashes from accounts`;
  const secrets = [PASSWORD, TOKEN, ...String(stored?.hashes).split(' ')];
  for (const { token } of await h.sql`select token from sessions`) secrets.push(token);
  for (const secret of secrets) expect(rows).not.toContain(secret);
  expect(h.logLines.join('')).not.toContain('request failed');
});
