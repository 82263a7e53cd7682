import type { RateLimit, RateLimitResult } from '../domain/deps.ts';
import { tooManyRequests } from '../kernel/errors.ts';
import type { Context } from './context.ts';

export type DeclaredLimit = RateLimit & { per?: 'client' };

/** Mails to people who did not ask for them: what a stolen session could send in a minute, and in a day. */
export const INVITATION_MAILS: readonly DeclaredLimit[] = [
  { name: 'invitation.mails', points: 60, seconds: 60 },
  { name: 'invitation.mails.day', points: 500, seconds: 24 * 60 * 60 },
];

/** The same for lists, each of which may hold a hundred. */
export const INVITATION_LISTS: readonly DeclaredLimit[] = [
  { name: 'invitation.lists', points: 10, seconds: 60 },
  { name: 'invitation.lists.day', points: 20, seconds: 24 * 60 * 60 },
];

/** What answers who holds the token of an invitation. */
export const INVITATION_TOKENS: DeclaredLimit = { name: 'invitation.preview', points: 30, seconds: 60 };

/** The reason of a refusal whose headers are set here. */
export const RATE_LIMITED = 'rate_limited';

type Counted = DeclaredLimit & RateLimitResult;

/** As in draft-ietf-httpapi-ratelimit-headers-10: lists of structured fields, an item for each limit. */
function showLimits(ctx: Pick<Context, 'setHeader'>, counted: readonly Counted[]): void {
  const policies = counted.map(({ name, points, seconds }) => `"${name}";q=${points};w=${seconds}`);
  const standings = counted.map((one) => `"${one.name}";r=${one.remaining};t=${one.resetSeconds}`);
  ctx.setHeader('ratelimit-policy', policies.join(', '));
  ctx.setHeader('ratelimit', standings.join(', '));
}

/**
 * Counts a call against the limit of all calls, and then against the procedure's own, one after another: what one of
 * them refuses is not counted by the next, so that a loop does not use up the day. The headers show the procedure's
 * own limits where it has some, and the one that refuses.
 *
 * @throws TOO_MANY_REQUESTS
 */
export async function countCall(
  ctx: Pick<Context, 'rateLimiter' | 'callLimit' | 'principal' | 'clientKey' | 'setHeader'>,
  own: readonly DeclaredLimit[],
): Promise<void> {
  const { rateLimiter, principal, clientKey, callLimit } = ctx;
  const limits: readonly DeclaredLimit[] = callLimit === undefined ? own : [callLimit, ...own];
  const counted: Counted[] = [];
  for (const limit of limits) {
    const userId = limit.per === 'client' ? undefined : principal?.userId;
    const result = await rateLimiter.consume(limit, userId ?? clientKey);
    counted.push({ ...limit, ...result });
    if (result.allowed) continue;
    const { points, seconds } = limit;
    showLimits(ctx, counted.slice(-1));
    throw tooManyRequests(
      RATE_LIMITED,
      `At most ${points} calls in ${seconds} seconds. Try again in ${result.resetSeconds} s.`,
      result.resetSeconds,
    );
  }
  if (counted.length > 0) showLimits(ctx, own.length === 0 ? counted : counted.slice(-own.length));
}
