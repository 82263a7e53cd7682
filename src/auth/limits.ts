import { LINKS_TO_ADDRESS, requireAttempt, requireStrangersAttempt } from '../domain/attempts.ts';
import type { Deps, RateLimit, RateLimiter } from '../domain/deps.ts';
import { isKnownClient } from '../domain/sign-in/index.ts';
import { DomainError } from '../kernel/errors.ts';

/**
 * Guessing is slow for one account from anywhere, for one client over all accounts, and for everybody together. The
 * limits count attempts, right or wrong, whether the account exists or not.
 */
const ACCOUNT: RateLimit = { name: 'auth.account', points: 10, seconds: 60 };
const CLIENT: RateLimit = { name: 'auth.client', points: 60, seconds: 60 };
/** For a client that has signed in to the account before, which others cannot use up. */
const KNOWN: RateLimit = { name: 'auth.known', points: 10, seconds: 60 };

const isLimit = (error: unknown): error is DomainError =>
  error instanceof DomainError && error.code === 'TOO_MANY_REQUESTS';

/** Counts attempts to sign in or up. @throws TOO_MANY_REQUESTS, never for good: all limits end within a minute. */
export function signInLimiter(deps: Deps, limiter: RateLimiter) {
  return async (clientKey: string, email: string): Promise<void> => {
    await requireAttempt(limiter, CLIENT, clientKey);
    try {
      await requireAttempt(limiter, ACCOUNT, email);
      await requireStrangersAttempt(deps, limiter);
    } catch (error) {
      // The holder is not kept out by who guesses from elsewhere.
      if (!isLimit(error) || !(await isKnownClient(deps, email, clientKey))) throw error;
      await requireAttempt(limiter, KNOWN, `${email} ${clientKey}`);
    }
  };
}

/** Counts what asks for mails to an address, or tries tokens. @throws TOO_MANY_REQUESTS */
export function linkLimiter(limiter: RateLimiter) {
  return async (clientKey: string, email?: string, purpose?: string): Promise<void> => {
    await requireAttempt(limiter, CLIENT, clientKey);
    if (email !== undefined) await requireAttempt(limiter, LINKS_TO_ADDRESS, `${purpose} ${email}`);
  };
}
