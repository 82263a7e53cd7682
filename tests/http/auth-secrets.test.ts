import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createHarness, type Harness, httpCaller, PASSWORD, type Reply } from '../support/harness.ts';
import { hold } from './held.ts';

const EVIL = 'https://evil.example/landing';
const account = (email: string) => ({ email, password: PASSWORD, name: 'Eve' });

/** The session cookie as it was set, with its attributes. */
const setCookieOf = ({ headers }: Reply, name = 'better-auth.session_token') =>
  headers.getSetCookie().find((cookie) => cookie.startsWith(`${name}=`)) ?? '';
const pairOf = (setCookie: string) => setCookie.split(';', 1)[0] ?? '';

describe('over http', () => {
  let h: Harness;
  beforeAll(async () => {
    h = await createHarness();
  });
  afterAll(() => h[Symbol.asyncDispose]());

  test('no body holds a token, a hash or a secret', async () => {
    const replies = [await h.anonymous.post('auth/sign-up/email', account('eve@example.org'))];
    const first = httpCaller(h.baseUrl, { cookie: pairOf(setCookieOf(replies[0] as Reply)) });
    replies.push(await h.anonymous.post('auth/sign-in/email', account('eve@example.org')));
    for (const path of ['auth/get-session', 'user.get', 'user.session', 'trpc/user.get']) {
      replies.push(await first.get(path));
    }
    expect(replies.map(({ status }) => status)).toEqual(replies.map(() => 200));

    const [stored] = await h.sql`select password from accounts`;
    const tokens = await h.sql`select token from sessions`;
    expect(tokens).toHaveLength(2);
    const cookies = replies.map((reply) => decodeURIComponent(pairOf(setCookieOf(reply)))).filter(Boolean);
    const signatures = cookies.map((cookie) => cookie.slice(cookie.lastIndexOf('.') + 1));
    expect(signatures).toHaveLength(2);
    const secrets = [stored?.password, PASSWORD, ...tokens.map(({ token }) => token), ...signatures];
    const everything = replies.map(({ text }) => text).join();
    for (const secret of secrets) expect(everything).not.toContain(secret);
    expect(everything).not.toMatch(/"(?:token|password|hash|secret)\w*"/i);
    expect(h.logLines.join()).not.toContain(PASSWORD);
    for (const secret of secrets) expect(h.logLines.join()).not.toContain(secret);
  });

  test('the cookie is out of reach for scripts and for other sites', async () => {
    const attributes = setCookieOf(
      await h.anonymous.post('auth/sign-up/email', account('flags@example.org')),
    );
    expect(attributes.split('; ').slice(1).sort()).toEqual([
      'HttpOnly',
      'Max-Age=2592000',
      'Path=/',
      'SameSite=Lax',
    ]);
  });

  test('a page of somebody else’s to go on to is refused or ignored', async () => {
    const others = { redirectTo: EVIL, newUserCallbackURL: EVIL, errorCallbackURL: EVIL };
    const more = { callbackURL: EVIL, ...others };
    const up = await h.anonymous.post('auth/sign-up/email', { ...account('go@example.org'), ...more });
    const refused = await h.anonymous.post('auth/sign-in/email', { ...account('go@example.org'), ...more });
    expect([refused.status, refused.body.issues[0].path, refused.headers.get('set-cookie')]).toEqual([
      400,
      ['callbackURL'],
      null,
    ]);
    const signedIn = await h.anonymous.post('auth/sign-in/email', {
      ...account('go@example.org'),
      ...others,
    });
    const caller = httpCaller(h.baseUrl, { cookie: pairOf(setCookieOf(signedIn)) });
    const out = await caller.post('auth/sign-out', more);
    const session = await caller.get('auth/get-session', { callbackURL: EVIL });
    for (const reply of [up, signedIn, out, session]) {
      expect(reply.status).toBe(200);
      expect(reply.headers.get('location')).toBeNull();
      expect(reply.text).not.toContain('evil');
      expect(reply.body?.redirect).not.toBe(true);
    }
  });
});

test('over https the cookie is Secure under the name for that, and is read back', async () => {
  const h = await createHarness({ PUBLIC_URL: 'https://panel.example.org' });
  try {
    const name = '__Secure-better-auth.session_token';
    const up = await h.anonymous.post('auth/sign-up/email', account('eve@example.org'));
    const cookie = setCookieOf(up, name);
    expect(cookie.split('; ').slice(1).sort()).toEqual([
      'HttpOnly',
      'Max-Age=2592000',
      'Path=/',
      'SameSite=Lax',
      'Secure',
    ]);
    expect(up.headers.get('strict-transport-security')).toMatch(/max-age=\d{7,}/);
    const eve = httpCaller(h.baseUrl, { cookie: pairOf(cookie) });
    expect((await eve.get('user.session')).body.user.id).toBe(up.body.user.id);
    expect((await eve.get('auth/get-session')).body.user.id).toBe(up.body.user.id);
    expect((await eve.post('organization.create', { name: 'Acme' })).status).toBe(200);

    const plain = httpCaller(h.baseUrl, { cookie: pairOf(cookie).slice('__Secure-'.length) });
    expect((await plain.get('user.session')).status).toBe(401);

    const out = await eve.post('auth/sign-out');
    expect(setCookieOf(out, name)).toMatch(/Max-Age=0.*Secure/);
    expect((await eve.get('user.session')).status).toBe(401);
  } finally {
    await h[Symbol.asyncDispose]();
  }
});

test('of the first accounts that sign up at once exactly one is rootAdmin', async () => {
  const h = await createHarness();
  try {
    const emails = ['a', 'b', 'c', 'd'].map((name) => `${name}@example.org`);
    const held = await hold(h.databaseUrl, 'lock table users in access exclusive mode');
    const signUps = Promise.all(
      emails.map((email) => h.anonymous.post('auth/sign-up/email', account(email))),
    );
    await held.waiters(emails.length);
    await held.release();
    const replies = await signUps;
    expect(replies.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
    const roles = await h.sql`select role from users order by role`;
    expect(roles.map(({ role }) => role)).toEqual(['rootAdmin', 'user', 'user', 'user']);
  } finally {
    await h[Symbol.asyncDispose]();
  }
});
