import { createHmac } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createHarness, type Harness, httpCaller, type TestUser } from '../support/harness.ts';

const NAME = 'better-auth.session_token';
const DAY = 86_400_000;

let h: Harness;
let ada: TestUser;
let bob: TestUser;
beforeAll(async () => {
  h = await createHarness();
  [ada, bob] = [await h.user(), await h.user()];
});
afterAll(() => h[Symbol.asyncDispose]());

/** What stands between `=` and the end of a session cookie, decoded: token, dot, signature. */
const cookieValueOf = (user: TestUser) => decodeURIComponent(user.cookie.slice(NAME.length + 1));
const signatureOf = (token: string, secret: string) =>
  createHmac('sha256', secret).update(token).digest('base64');
const cookieOf = (value: string) => `${NAME}=${encodeURIComponent(value)}`;

/** Whom each surface takes a request for; null is nobody. */
async function whoIs(cookie: string) {
  const caller = httpCaller(h.baseUrl, { cookie: Buffer.from(cookie).toString('latin1') });
  const plain = await caller.get('user.session');
  const trpc = await caller.get('trpc/user.session');
  const session = await caller.get('auth/get-session');
  expect([plain.status, trpc.status, session.status]).toEqual(
    plain.status === 200 ? [200, 200, 200] : [401, 401, 200],
  );
  if (plain.status !== 200) {
    expect(plain.body.data.reason).toBe('not_signed_in');
    expect(session.text).toBe('null');
  }
  const ids = [plain.body.user?.id, trpc.body.result?.data.json.user.id, session.body?.user.id];
  expect(new Set(ids).size).toBe(1);
  return ids[0] ?? null;
}

test('a session cookie is its user, among others and with odd spaces', async () => {
  expect(await whoIs(ada.cookie)).toBe(ada.id);
  expect(await whoIs(`a=b; ${ada.cookie}; c=d`)).toBe(ada.id);
  expect(await whoIs(`a=b;${ada.cookie};c`)).toBe(ada.id);
  expect(await whoIs(`=; ;; ${NAME}x=1; x${NAME}=2; ${ada.cookie}`)).toBe(ada.id);
});

describe('is nobody', () => {
  const tampered: [string, (value: string) => string][] = [
    ['a cookie without a value', () => `${NAME}=`],
    ['a cookie without an equals sign', () => NAME],
    ['a token without a signature', (value) => cookieOf(value.slice(0, value.lastIndexOf('.')))],
    ['a token with an empty signature', (value) => cookieOf(value.slice(0, value.lastIndexOf('.') + 1))],
    ['a signature without a token', (value) => cookieOf(value.slice(value.lastIndexOf('.')))],
    ['a dot', () => cookieOf('.')],
    ['many dots', () => cookieOf('.'.repeat(200))],
    ['a cookie that is cut off', (value) => cookieOf(value.slice(0, -2))],
    ['a cookie with more behind it', (value) => cookieOf(`${value}A`)],
    [
      'a changed token',
      (value) => cookieOf(value.startsWith('a') ? `b${value.slice(1)}` : `a${value.slice(1)}`),
    ],
    ['a cookie of 8 kB', (value) => cookieOf(value.repeat(90))],
    ['escapes that are none', () => `${NAME}=%zz%`],
    ['escapes that are no UTF-8', () => `${NAME}=%ff%fe.%ff`],
    ['a NUL', (value) => `${NAME}=%00${encodeURIComponent(value)}`],
    ['text beyond ASCII', () => `${NAME}=ключ.ключ`],
    ['a name in other case', (value) => `Better-Auth.Session_Token=${encodeURIComponent(value)}`],
  ];
  test.each(tampered)('%s', async (_what, tamper) => {
    expect(await whoIs(tamper(cookieValueOf(ada)))).toBeNull();
  });

  test('a token under another’s signature, or one made with another secret', async () => {
    const [token] = cookieValueOf(ada).split('.');
    const [, signature] = cookieValueOf(bob).split('.');
    expect(await whoIs(cookieOf(`${token}.${signature}`))).toBeNull();
    expect(
      await whoIs(cookieOf(`${token}.${signatureOf(token ?? '', 'another-secret-of-32-characters!!')}`)),
    ).toBeNull();
  });

  test('the token of a session as the database shows it', async () => {
    const [row] = await h.sql`select token from sessions where user_id = ${ada.id}`;
    expect(await whoIs(cookieOf(row?.token))).toBeNull();
  });

  test('a session that has expired, was ended, or whose user is gone', async () => {
    const eve = await h.user();
    await h.sql`update sessions set expires_at = now() - interval '1 second' where user_id = ${eve.id}`;
    expect(await whoIs(eve.cookie)).toBeNull();

    const mallory = await h.user();
    await h.sql`delete from sessions where user_id = ${mallory.id}`;
    expect(await whoIs(mallory.cookie)).toBeNull();
  });

  test('and nobody changes anything', async () => {
    const before = await h.sql`select 1 from organizations`;
    for (const cookie of [cookieOf(`${cookieValueOf(ada)}A`), `${NAME}=%zz`]) {
      const reply = await httpCaller(h.baseUrl, { cookie }).post('organization.create', { name: 'Forged' });
      expect({ status: reply.status, reason: reply.body.data.reason }).toEqual({
        status: 401,
        reason: 'not_signed_in',
      });
    }
    expect(await h.sql`select 1 from organizations`).toHaveLength(before.length);
  });
});

test('of two cookies of the same name the first decides, on every surface', async () => {
  expect(await whoIs(`${ada.cookie}; ${bob.cookie}`)).toBe(ada.id);
  expect(await whoIs(`${bob.cookie}; ${ada.cookie}`)).toBe(bob.id);
  expect(await whoIs(`${NAME}=planted; ${ada.cookie}`)).toBeNull();
});

test('a session ends when its time is over', async () => {
  const late = await createHarness();
  try {
    const user = await late.user();
    late.clock.advance(7 * DAY - 60_000);
    expect((await user.get('user.session')).status).toBe(200);
    late.clock.advance(60_000);
    expect((await user.get('user.session')).body.data.reason).toBe('not_signed_in');
  } finally {
    await late[Symbol.asyncDispose]();
  }
});
