import { registerAccount } from '../domain/account/index.ts';
import { CODE_ATTEMPTS, PASSWORD_ATTEMPTS, requireAttempt } from '../domain/attempts.ts';
import type { Deps, RateLimiter } from '../domain/deps.ts';
import { askForLink, resetPassword, verifyEmail } from '../domain/email-link/index.ts';
import type { Principal } from '../domain/principal.ts';
import { logout, MAX_AGE_MS } from '../domain/session/index.ts';
import {
  CHALLENGE_SECONDS,
  challengedUser,
  giveSecondFactor,
  type SignedIn,
  signIn,
  signInRegistered,
} from '../domain/sign-in/index.ts';
import {
  confirmTwoFactor,
  disableTwoFactor,
  enrolTwoFactor,
  renewRecoveryCodes,
} from '../domain/two-factor/index.ts';
import { badRequest, unauthorized } from '../kernel/errors.ts';
import type { Identity } from './better-auth.ts';
import { readSignedCookie } from './cookie.ts';
import {
  BackupCode,
  NewPassword,
  Password,
  SendLink,
  SignIn,
  SignUp,
  TokenOnly,
  TotpCode,
} from './inputs.ts';
import { linkLimiter, signInLimiter } from './limits.ts';
import type { AuthAnswer, AuthRequest, AuthRoute } from './route.ts';
import { readSession } from './session.ts';

const OK = { body: { status: true } };

/**
 * Everything below `/api/auth/`, with the names, inputs and answers that better-auth's client knows. What changes
 * something follows our own rules; better-auth reads the session and makes the cookies. Handlers throw DomainError and
 * ZodError.
 */
export function authRoutes(options: {
  identity: Identity;
  deps: Deps;
  rateLimiter: RateLimiter;
}): ReadonlyMap<string, AuthRoute> {
  const { identity, deps, rateLimiter } = options;
  const { sessionCookie, twoFactorCookie } = identity;
  const requireSignInAttempt = signInLimiter(deps, rateLimiter);
  const requireLinkAttempt = linkLimiter(rateLimiter);

  /** Whoever is signed in goes on to `target`, where one is given. */
  async function answerSignedIn(
    { session, user }: SignedIn,
    { target, forget = [] }: { target?: string | undefined; forget?: string[] } = {},
  ): Promise<AuthAnswer> {
    const maxAge = session.remembered ? MAX_AGE_MS / 1000 : undefined;
    return {
      body: target ? { redirect: true, url: target, user } : { redirect: false, user },
      cookies: [await sessionCookie.set(session.token, maxAge), ...forget],
    };
  }

  async function signedIn(request: AuthRequest): Promise<Principal> {
    const principal = await request.principal();
    if (principal === null)
      throw unauthorized('not_signed_in', 'Sign in first. An API key does not do here.');
    return principal;
  }

  /** A change that needs the password again; attempts are counted. */
  async function withPassword<T>(
    request: AuthRequest,
    change: (deps: Deps, principal: Principal, password: string) => Promise<T>,
  ): Promise<T> {
    const principal = await signedIn(request);
    const { password } = Password.parse(request.body ?? {});
    await requireAttempt(rateLimiter, PASSWORD_ATTEMPTS, principal.userId);
    return change(deps, principal, password);
  }

  async function secondFactor(request: AuthRequest, kind: 'totp' | 'recoveryCode', code: string) {
    const challenge = readSignedCookie(request.cookie, twoFactorCookie.name, deps.rules.secret);
    await requireAttempt(rateLimiter, CODE_ATTEMPTS, challengedUser(deps, challenge));
    const result = await giveSecondFactor(deps, request.origin, challenge, { kind, code });
    return answerSignedIn(result, { forget: [twoFactorCookie.cleared] });
  }

  const get = (handle: AuthRoute['handle']): AuthRoute => ({ method: 'GET', handle });
  const post = (handle: AuthRoute['handle']): AuthRoute => ({ method: 'POST', handle });

  return new Map<string, AuthRoute>([
    ['get-session', get((request) => readSession(identity, deps, request))],
    [
      'sign-up/email',
      post(async ({ body, origin, clientKey }) => {
        const { rememberMe, ...input } = SignUp.parse(body ?? {});
        await requireSignInAttempt(clientKey, input.email);
        const { userId } = await registerAccount(deps, origin, input);
        return answerSignedIn(await signInRegistered(deps, origin, userId, rememberMe));
      }),
    ],
    [
      'sign-in/email',
      post(async ({ body, origin, clientKey }) => {
        const input = SignIn.parse(body ?? {});
        const { rememberMe: remembered, email, password, callbackURL: target } = input;
        if (target && !identity.isTrustedTarget(target)) {
          const message = 'callbackURL is a path, or a page of a trusted origin.';
          throw badRequest('callbackURL', 'callback_not_trusted', message);
        }
        await requireSignInAttempt(clientKey, email);
        const result = await signIn(deps, origin, { email, password, remembered });
        if (!('challenge' in result)) return answerSignedIn(result, { target });
        // Were the session before kept, the code that comes next would be taken to confirm an enrolment in it.
        return {
          body: { twoFactorRedirect: true, twoFactorMethods: ['totp'] },
          cookies: [await twoFactorCookie.set(result.challenge, CHALLENGE_SECONDS), sessionCookie.cleared],
        };
      }),
    ],
    [
      'sign-out',
      post(async (request) => {
        const principal = await request.principal();
        if (principal !== null) await logout(deps, principal);
        return { body: { success: true }, cookies: [sessionCookie.cleared] };
      }),
    ],
    [
      'send-verification-email',
      post(async ({ body, origin, clientKey }) => {
        const { email } = SendLink.parse(body ?? {});
        await requireLinkAttempt(clientKey, email, 'verify');
        await askForLink(deps, origin, email, 'verify');
        return OK;
      }),
    ],
    [
      'verify-email',
      post(async ({ body, origin, clientKey }) => {
        const { token } = TokenOnly.parse(body ?? {});
        await requireLinkAttempt(clientKey);
        return { body: { status: true, email: await verifyEmail(deps, origin, token) } };
      }),
    ],
    [
      'request-password-reset',
      post(async ({ body, origin, clientKey }) => {
        const { email } = SendLink.parse(body ?? {});
        await requireLinkAttempt(clientKey, email, 'reset');
        await askForLink(deps, origin, email, 'reset');
        const message = 'If this address has an account, a link to choose a new password is on its way.';
        return { body: { status: true, message } };
      }),
    ],
    [
      'reset-password',
      post(async ({ body, origin, clientKey }) => {
        const { token, newPassword } = NewPassword.parse(body ?? {});
        await requireLinkAttempt(clientKey);
        await resetPassword(deps, origin, token, newPassword);
        return OK;
      }),
    ],
    [
      'two-factor/enable',
      post(async (request) => ({
        body: { method: 'totp', ...(await withPassword(request, enrolTwoFactor)) },
      })),
    ],
    [
      'two-factor/disable',
      post(async (request) => {
        await withPassword(request, disableTwoFactor);
        return OK;
      }),
    ],
    [
      'two-factor/generate-backup-codes',
      post(async (request) => ({
        body: { status: true, backupCodes: await withPassword(request, renewRecoveryCodes) },
      })),
    ],
    [
      // In a session it confirms an enrolment, otherwise it ends a sign-in. The attempts are counted apart, so that whoever
      // has found a session cannot keep its holder from signing in.
      'two-factor/verify-totp',
      post(async (request) => {
        const { code } = TotpCode.parse(request.body ?? {});
        const principal = await request.principal();
        if (principal === null) return secondFactor(request, 'totp', code);
        await requireAttempt(rateLimiter, CODE_ATTEMPTS, `confirm ${principal.userId}`);
        await confirmTwoFactor(deps, principal, code);
        return OK;
      }),
    ],
    [
      'two-factor/verify-backup-code',
      post((request) => secondFactor(request, 'recoveryCode', BackupCode.parse(request.body ?? {}).code)),
    ],
  ]);
}
