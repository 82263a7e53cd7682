import { expect } from 'vitest';
import { type Browser, browser } from './browser.ts';
import { type Harness, PASSWORD, type Reply, type TestUser } from './harness.ts';
import { codeOf } from './otp.ts';

const STEP_MS = 30_000;

/** Enrols an authenticator app for somebody and confirms it. */
export async function enableTwoFactor(h: Harness, user: Pick<TestUser, 'post'>) {
  const { status, body } = await user.post('auth/two-factor/enable', { password: PASSWORD });
  expect(status).toBe(200);
  const uri: string = body.totpURI;
  /** What the app shows, so many steps of 30 seconds before (-) or after now. */
  const code = (steps = 0) => codeOf(uri, new Date(h.app.deps.now().getTime() + steps * STEP_MS));
  expect((await user.post('auth/two-factor/verify-totp', { code: code() })).status).toBe(200);
  return { uri, code, recoveryCodes: body.backupCodes as string[] };
}

/** Lets time pass until the app has just begun to show another code. */
export function nextCode(h: Harness): void {
  const shownForMs = h.app.deps.now().getTime() % STEP_MS;
  h.clock.advance(STEP_MS - shownForMs + 500);
}

/** An account with a second factor whose app shows a code that was not used yet. */
export async function accountWithFactor(h: Harness) {
  const user = await h.user();
  const factor = await enableTwoFactor(h, user);
  nextCode(h);
  return { ...user, ...factor };
}

/** A browser that has given the password. */
export async function beginSignIn(h: Harness, { email }: { email: string }, more: object = {}) {
  const visitor = browser(h);
  expect((await visitor.signIn(email, PASSWORD, more)).body.twoFactorRedirect).toBe(true);
  return visitor;
}
export const giveCode = (visitor: Browser, code: string) =>
  visitor.post('auth/two-factor/verify-totp', { code });
export const giveRecoveryCode = (visitor: Browser, code = '') =>
  visitor.post('auth/two-factor/verify-backup-code', { code });

export function expectRefused({ status, body }: Reply, reason = 'invalid_code'): void {
  expect({ status, reason: body.data?.reason }).toEqual({ status: 401, reason });
}
