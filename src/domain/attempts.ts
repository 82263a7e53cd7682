import { tooManyRequests } from '../kernel/errors.ts';
import type { Deps, RateLimit, RateLimiter } from './deps.ts';

/**
 * How often one account's password may be tried from inside a session, and its codes after the password: whoever has
 * stolen the one must not guess the other.
 */
export const PASSWORD_ATTEMPTS: RateLimit = { name: 'auth.password', points: 10, seconds: 900 };
export const CODE_ATTEMPTS: RateLimit = { name: 'auth.code', points: 10, seconds: 900 };

/** Mails with links to one address, for each purpose. */
export const LINKS_TO_ADDRESS: RateLimit = { name: 'auth.link', points: 3, seconds: 900 };

/**
 * Passwords that strangers have hashed, all together: half of what there is time for. The other half is for those who are
 * known.
 */
const byEverybody = ({ passwords }: Deps): RateLimit => ({
  name: 'auth.everybody',
  points: passwords.perMinute / 2,
  seconds: 60,
});

/** Counts one attempt to sign in or up by somebody who is not known. @throws TOO_MANY_REQUESTS */
export const requireStrangersAttempt = (deps: Deps, limiter: RateLimiter): Promise<void> =>
  requireAttempt(limiter, byEverybody(deps), 'all');

/** Counts one attempt. @throws TOO_MANY_REQUESTS when there were too many. */
export async function requireAttempt(limiter: RateLimiter, limit: RateLimit, key: string): Promise<void> {
  const { allowed, resetSeconds } = await limiter.consume(limit, key);
  if (!allowed) {
    throw tooManyRequests('too_many_attempts', 'Too many attempts. Try again later.', resetSeconds);
  }
}
