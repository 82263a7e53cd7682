import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import {
  type Caller,
  createHarness,
  type Harness,
  httpCaller,
  PASSWORD,
  type Reply,
} from '../support/harness.ts';

let h: Harness;
let anonymous: Caller;
beforeAll(async () => {
  h = await createHarness();
  anonymous = h.anonymous;
});
afterAll(() => h[Symbol.asyncDispose]());

const signUp = (email: string, more: object = {}) =>
  anonymous.post('auth/sign-up/email', { email, password: PASSWORD, name: 'Eve', ...more });
const signIn = (email: string, password: string, more: object = {}) =>
  anonymous.post('auth/sign-in/email', { email, password, ...more });
const cookiesOf = ({ headers }: Reply) => headers.getSetCookie();
/** The cookies of an answer as a browser sends them back. */
const sentBack = (reply: Reply) =>
  cookiesOf(reply)
    .map((cookie) => cookie.split(';', 1)[0])
    .join('; ');

test('sign-up signs in, and get-session, sign-out and our procedures agree about it', async () => {
  const up = await signUp('first@example.org');
  expect(up.status).toBe(200);
  const eve = httpCaller(h.baseUrl, { cookie: sentBack(up) });
  const session = await eve.get('user.session');
  expect(session.body.user.id).toBe(up.body.user.id);
  expect((await eve.get('auth/get-session')).body).toMatchObject({
    user: { email: 'first@example.org', emailVerified: false },
    session: { id: session.body.session.id, ipAddress: '127.0.0.1' },
  });

  const out = await eve.post('auth/sign-out');
  expect({ status: out.status, success: out.body.success }).toEqual({ status: 200, success: true });
  expect(cookiesOf(out).join()).toMatch(/better-auth\.session_token=; Max-Age=0/);
  expect((await eve.get('user.session')).status).toBe(401);
  expect((await eve.get('auth/get-session')).text).toBe('null');
  expect(await h.sql`select 1 from sessions where user_id = ${up.body.user.id}`).toEqual([]);
});

test('signing out ends this session and no other', async () => {
  const eve = await h.user();
  const elsewhere = httpCaller(h.baseUrl, { cookie: await h.signIn(eve.id) });
  await eve.post('auth/sign-out');
  expect((await eve.get('user.session')).status).toBe(401);
  expect((await elsewhere.get('user.session')).status).toBe(200);
});

describe('what else better-auth could do is not there', () => {
  const ROUTES = [
    'GET ok',
    'GET error',
    'GET reference',
    'GET list-sessions',
    'GET list-accounts',
    'GET account-info',
    'GET callback/github?code=x',
    'POST callback/github',
    'GET reset-password/x?callbackURL=https://evil.example',
    'GET delete-user/callback?token=x',
    'POST sign-in/social',
    'POST sign-in/email-otp',
    'POST sign-up',
    'POST update-user',
    'POST update-session',
    'POST change-email',
    'POST change-password',
    'POST set-password',
    'POST verify-password',
    'POST delete-user',
    'POST forget-password',
    'POST revoke-session',
    'POST revoke-sessions',
    'POST revoke-other-sessions',
    'POST link-social',
    'POST unlink-account',
    'POST refresh-token',
    'POST get-access-token',
    'GET get-session/',
    'GET Get-Session',
    'GET //get-session',
    'GET x/../get-session',
    'GET get-session%2f',
    'POST sign-in%2Femail',
    'POST sign-in/email/',
    'GET constructor',
    'GET __proto__',
    'GET ',
  ];
  test.each(ROUTES)('%s', async (route) => {
    const [method = '', path = ''] = route.split(' ');
    const eve = await h.user();
    const { status, text } = await eve.send(`/api/auth/${path}`, {
      method,
      ...(method === 'POST' && { body: '{}', headers: { 'content-type': 'application/json' } }),
    });
    expect(status).toBe(path === 'x/../get-session' ? 200 : 404); // fetch itself makes that get-session
    expect(text).not.toContain('better-auth');
  });

  test.each([
    ['PUT', 'sign-in/email', 'POST'],
    ['GET', 'sign-in/email', 'POST'],
    ['GET', 'sign-out', 'POST'],
    ['POST', 'get-session', 'GET, HEAD'],
  ])('%s %s is 405', async (method, path, allow) => {
    const eve = await h.user();
    const { status, headers } = await eve.send(`/api/auth/${path}`, { method });
    expect({ status, allow: headers.get('allow') }).toEqual({ status: 405, allow });
    expect((await eve.get('user.session')).status).toBe(200);
  });
});

describe('sign-in', () => {
  test.each(['case@example.org', 'CASE@Example.ORG', '  case@example.org\t'])('as %j', async (email) => {
    await signUp(' Case@Example.org ');
    const { status, body } = await signIn(email, PASSWORD);
    expect({ status, email: body.user?.email }).toEqual({ status: 200, email: 'case@example.org' });
  });

  test('a wrong password and an unknown account are told alike, to the byte', async () => {
    await signUp('known@example.org');
    const wrong = await signIn('known@example.org', 'Wrong-horse-1');
    const unknown = await signIn('nobody@example.org', 'Wrong-horse-1');
    expect(wrong.status).toBe(401);
    expect(wrong.body).toEqual({
      message: 'Invalid email or password',
      code: 'UNAUTHORIZED',
      data: {
        code: 'UNAUTHORIZED',
        httpStatus: 401,
        path: 'auth/sign-in/email',
        reason: 'invalid_email_or_password',
      },
    });
    expect(unknown.text).toBe(wrong.text);
    const headersOf = ({ headers }: Reply) => [...headers].filter(([name]) => !/date|request-id/.test(name));
    expect(headersOf(unknown)).toEqual(headersOf(wrong));
  });

  test('an unknown account costs as much work as a wrong password', async () => {
    await signUp('slow@example.org');
    const { passwords } = h.app.deps;
    const work = [vi.spyOn(passwords, 'hash'), vi.spyOn(passwords, 'verify')];
    const workOf = async (email: string) => {
      for (const spy of work) spy.mockClear();
      expect((await signIn(email, 'Wrong-horse-1')).status).toBe(401);
      return work.reduce((sum, { mock }) => sum + mock.calls.length, 0);
    };
    expect(await workOf('slow@example.org')).toBe(1);
    expect(await workOf('absent@example.org')).toBe(1);
    vi.restoreAllMocks();
  });

  test.each([
    [{ password: PASSWORD }, 'email'],
    [{ email: 'x', password: PASSWORD }, 'email'],
    [{ email: `${'x'.repeat(300)}@example.org`, password: PASSWORD }, 'email'],
    [{ email: ['a@example.org'], password: PASSWORD }, 'email'],
    [{ email: 'a@example.org' }, 'password'],
    [{ email: 'a@example.org', password: 'x'.repeat(129) }, 'password'],
    [{ email: 'a@example.org', password: { $ne: '' } }, 'password'],
    [{ email: 'a@example.org', password: PASSWORD, rememberMe: 'false' }, 'rememberMe'],
  ])('with %j is refused for its field', async (body, field) => {
    const reply = await anonymous.post('auth/sign-in/email', body);
    expect(reply.status).toBe(400);
    expect(reply.body).toMatchObject({
      code: 'BAD_REQUEST',
      issues: expect.arrayContaining([expect.objectContaining({ path: [field] })]),
    });
  });

  test('without being remembered the cookie ends with the browser', async () => {
    await signUp('forget@example.org');
    const sessionCookie = (reply: Reply) =>
      cookiesOf(reply).find((cookie) => cookie.includes('session_token='));
    expect(sessionCookie(await signIn('forget@example.org', PASSWORD, { rememberMe: false }))).not.toMatch(
      /Max-Age/,
    );
    expect(sessionCookie(await signIn('forget@example.org', PASSWORD))).toMatch(/Max-Age=2592000/);
  });
});

describe('sign-up', () => {
  test.each(['', 'Sh0rt-x', 'nouppercase-1', 'NOLOWERCASE-1', 'NoDigits-here', 'NoSymbol1here'])(
    'refuses the password %j by name',
    async (password) => {
      const { status, body } = await signUp('weak@example.org', { password });
      expect(status).toBe(400);
      expect(body).toMatchObject({ issues: [{ path: ['password'] }], data: { reason: 'weak_password' } });
      expect(await h.sql`select 1 from users where email = 'weak@example.org'`).toEqual([]);
    },
  );

  test.each(['name', 'firstName', 'lastName'])(
    'refuses a %s of two lines: it stands in mails',
    async (field) => {
      const { status, body } = await signUp('lines@example.org', { [field]: 'Eve\nBcc: all@example.org' });
      expect(status).toBe(400);
      expect(body.issues).toMatchObject([{ path: [field] }]);
    },
  );

  test('refuses a taken address, however it is written, and signs nobody in', async () => {
    await signUp('taken@example.org');
    const { status, body, headers } = await signUp(' TAKEN@example.org', { password: 'Other-horse-2' });
    expect({ status, reason: body.data.reason }).toEqual({ status: 409, reason: 'email_taken' });
    expect(headers.getSetCookie()).toEqual([]);
    expect((await signIn('taken@example.org', 'Other-horse-2')).status).toBe(401);
  });

  test('takes no more than it declares: no role, no verified address, no id', async () => {
    const forged = { id: '00000000-0000-7000-8000-000000000000', role: 'rootAdmin', emailVerified: true };
    await signUp('plain@example.org', { ...forged, platformRole: 'admin', image: 'x' });
    const rows =
      await h.sql`select id, role, email_verified, image from users where email = 'plain@example.org'`;
    expect(rows).toMatchObject([{ role: 'user', emailVerified: false, image: null }]);
    expect(rows[0]?.id).not.toBe(forged.id);
  });
});
