import { requireAttempt } from '../domain/attempts.ts';
import type { Deps, RateLimit, RateLimiter } from '../domain/deps.ts';
import type { Origin } from '../domain/principal.ts';
import { isKnownClient } from '../domain/sign-in/index.ts';
import { DomainError } from '../kernel/errors.ts';

/**
 * Guessing is slow for one account from anywhere, for one client over all accounts, and for everybody together. The
 * limits count attempts, right or wrong, whether the account exists or not.
 */
const ACCOUNT: RateLimit = { name: 'auth.account', points: 10, seconds: 60 };
const CLIENT: RateLimit = { name: 'auth.client', points: 60, seconds: 60 };
const EVERYBODY: RateLimit = { name: 'auth.everybody', points: 3_000, seconds: 60 };
/** For an address that has signed in to the account before, which others can not use up. */
const KNOWN: RateLimit = { name: 'auth.known', points: 10, seconds: 60 };
/** Mails to one address. */
const LINK: RateLimit = { name: 'auth.link', points: 3, seconds: 900 };

const isLimit = (error: unknown): error is DomainError =>
  error instanceof DomainError && error.code === 'TOO_MANY_REQUESTS';

/** Counts attempts to sign in or up. @throws TOO_MANY_REQUESTS, never for good: all limits end within a minute. */
export function signInLimiter(deps: Deps, limiter: RateLimiter) {
  return async (clientKey: string, origin: Origin, email: string): Promise<void> => {
    await requireAttempt(limiter, CLIENT, clientKey);
    try {
      await requireAttempt(limiter, ACCOUNT, email);
      await requireAttempt(limiter, EVERYBODY, 'all');
    } catch (error) {
      // The holder is not kept out by who guesses from elsewhere.
      if (!isLimit(error) || !(await isKnownClient(deps, email, origin.ipAddress))) throw error;
      await requireAttempt(limiter, KNOWN, `${email} ${clientKey}`);
    }
  };
}

/** Counts what asks for mails to an address, or tries tokens. @throws TOO_MANY_REQUESTS */
export function linkLimiter(limiter: RateLimiter) {
  return async (clientKey: string, email?: string, purpose?: string): Promise<void> => {
    await requireAttempt(limiter, CLIENT, clientKey);
    if (email !== undefined) await requireAttempt(limiter, LINK, `${purpose} ${email}`);
  };
}
