import { createAuthClient } from 'better-auth/client';
import { twoFactorClient } from 'better-auth/client/plugins';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { cookieJar } from '../support/browser.ts';
import { createHarness, type Harness, PASSWORD } from '../support/harness.ts';
import { linkTo, mailsTo, tokenOf } from '../support/links.ts';
import { codeOf } from '../support/otp.ts';
import { nextCode } from '../support/two-factor.ts';

/* better-auth's own client, unchanged, against this service. */

let h: Harness;
beforeAll(async () => {
  h = await createHarness();
});
afterAll(() => h[Symbol.asyncDispose]());

const NEW_PASSWORD = 'Better-horse-2';

/** A client whose fetch keeps cookies as a browser does. */
function clientOf() {
  const jar = cookieJar();
  const redirects: unknown[] = [];
  const client = createAuthClient({
    baseURL: h.baseUrl,
    plugins: [twoFactorClient({ onTwoFactorRedirect: (what) => void redirects.push(what) })],
    fetchOptions: {
      customFetchImpl: async (input, init) => {
        const headers = new Headers(init?.headers);
        headers.set('cookie', jar.header());
        headers.set('origin', 'http://localhost:3000');
        const response = await fetch(input, { ...init, headers });
        jar.keep(response.headers);
        return response;
      },
    },
  });
  return { client, redirects };
}

/** What a call answers, which must be a success. */
async function dataOf<T>(call: Promise<{ data: T; error: unknown }>): Promise<NonNullable<T>> {
  const { data, error } = await call;
  expect(error).toBeNull();
  return data as NonNullable<T>;
}

test('signs up, reads the session, signs out and in again', async () => {
  const { client } = clientOf();
  const email = 'ada@example.org';
  const up = await dataOf(client.signUp.email({ email, password: PASSWORD, name: 'Ada' }));
  expect(up.user).toMatchObject({ email, name: 'Ada', emailVerified: false });
  const session = await dataOf(client.getSession());
  expect(session.user).toMatchObject({ id: up.user.id, email, twoFactorEnabled: false });
  expect(session.session).toMatchObject({ userId: up.user.id, expiresAt: expect.any(Date) });

  expect(await dataOf(client.signOut())).toEqual({ success: true });
  expect((await client.getSession()).data).toBeNull();

  const wrong = await client.signIn.email({ email, password: 'Wrong-horse-1' });
  expect(wrong).toMatchObject({
    data: null,
    error: { status: 401, code: 'UNAUTHORIZED', message: 'Invalid email or password' },
  });
  const signedIn = await dataOf(client.signIn.email({ email, password: PASSWORD, rememberMe: false }));
  expect(signedIn).toMatchObject({ redirect: false, user: { id: up.user.id } });
  expect((await dataOf(client.getSession())).user.id).toBe(up.user.id);
});

test('a sign-in leads to the page that it names, and to none of a stranger', async () => {
  const { client } = clientOf();
  const email = 'finn@example.org';
  await dataOf(client.signUp.email({ email, password: PASSWORD, name: 'Finn' }));
  const signIn = (callbackURL: string) => client.signIn.email({ email, password: PASSWORD, callbackURL });
  for (const url of ['/dashboard', 'http://localhost:3000/dashboard?tab=1']) {
    expect(await dataOf(signIn(url))).toMatchObject({ redirect: true, url, user: { email } });
  }
  for (const url of ['https://evil.example/', '//evil.example/', '/\\evil.example', 'javascript:alert(1)']) {
    expect((await signIn(url)).error).toMatchObject({ status: 400, issues: [{ path: ['callbackURL'] }] });
  }
});

test('confirms an address, and chooses a new password', async () => {
  const { client } = clientOf();
  const email = 'bob@example.org';
  await dataOf(client.signUp.email({ email, password: PASSWORD, name: 'Bob' }));
  await mailsTo(h, email);
  await dataOf(client.sendVerificationEmail({ email, callbackURL: '/done' }));
  const verification = tokenOf(await linkTo(h, email));
  // Its client confirms by GET; here it takes a POST.
  expect((await client.verifyEmail({ query: { token: verification } })).error?.status).toBe(405);
  await dataOf(client.$fetch('/verify-email', { method: 'POST', body: { token: verification } }));
  expect((await dataOf(client.getSession())).user.emailVerified).toBe(true);

  const asked = await dataOf(client.requestPasswordReset({ email, redirectTo: '/reset' }));
  expect(asked.status).toBe(true);
  const token = tokenOf(await linkTo(h, email));
  const weak = await client.resetPassword({ newPassword: 'weak-horse', token });
  expect(weak.error).toMatchObject({ status: 400, message: expect.stringContaining('The password needs') });
  expect(await dataOf(client.resetPassword({ newPassword: NEW_PASSWORD, token }))).toEqual({ status: true });
  expect((await client.getSession()).data).toBeNull();
  await dataOf(client.signIn.email({ email, password: NEW_PASSWORD }));
});

test('enables a second factor, signs in by it and by a recovery code, renews the codes, and disables it', async () => {
  const { client, redirects } = clientOf();
  const email = 'eve@example.org';
  const password = PASSWORD;
  await dataOf(client.signUp.email({ email, password, name: 'Eve' }));
  const enrolment = await dataOf(client.twoFactor.enable({ password }));
  if (!('totpURI' in enrolment)) throw new Error('There is nothing to enrol.');
  const code = () => codeOf(enrolment.totpURI, h.app.deps.now());
  await dataOf(client.twoFactor.verifyTotp({ code: code() }));
  expect((await dataOf(client.getSession())).user).toMatchObject({ twoFactorEnabled: true });

  await client.signOut();
  nextCode(h);
  expect(await dataOf(client.signIn.email({ email, password }))).toMatchObject({ twoFactorRedirect: true });
  expect(redirects).toEqual([{ twoFactorMethods: ['totp'] }]);
  expect((await client.getSession()).data).toBeNull();
  expect((await client.twoFactor.verifyTotp({ code: '000000' })).error?.status).toBe(401);
  await dataOf(client.twoFactor.verifyTotp({ code: code(), trustDevice: true }));
  expect((await dataOf(client.getSession())).user.email).toBe(email);

  const renewed = await dataOf(client.twoFactor.generateBackupCodes({ password }));
  await client.signOut();
  await client.signIn.email({ email, password });
  expect(redirects).toHaveLength(2); // no device is trusted for having been trusted
  const [old = '', fresh = ''] = [enrolment.backupCodes[0], renewed.backupCodes[0]];
  expect((await client.twoFactor.verifyBackupCode({ code: old })).error?.status).toBe(401);
  await dataOf(client.twoFactor.verifyBackupCode({ code: fresh }));
  expect((await dataOf(client.getSession())).user.email).toBe(email);

  expect(await dataOf(client.twoFactor.disable({ password }))).toEqual({ status: true });
  await client.signOut();
  expect(await dataOf(client.signIn.email({ email, password }))).toMatchObject({ user: { email } });
});
