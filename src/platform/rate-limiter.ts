import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import type { RateLimiter } from '../domain/deps.ts';

/** Counts in this process. */
export function createMemoryRateLimiter(): RateLimiter {
  const limiters = new Map<string, RateLimiterMemory>();
  return {
    async consume({ name, points, seconds }, key) {
      const limiter =
        limiters.get(name) ?? new RateLimiterMemory({ keyPrefix: name, points, duration: seconds });
      limiters.set(name, limiter);
      const [allowed, state] = await limiter.consume(key).then(
        (result) => [true, result] as const,
        (refusal: unknown) => {
          if (refusal instanceof RateLimiterRes) return [false, refusal] as const;
          throw refusal;
        },
      );
      const resetSeconds = Math.max(1, Math.ceil(state.msBeforeNext / 1000));
      return { allowed, limit: points, remaining: state.remainingPoints, resetSeconds };
    },
  };
}
