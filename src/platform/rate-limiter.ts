import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import type { RateLimit, RateLimiter } from '../domain/deps.ts';

type Counter = Pick<RateLimiterMemory, 'consume'>;

/** A limiter with a counter for each limit. */
export function createRateLimiter(counterOf: (limit: RateLimit) => Counter): RateLimiter {
  const counters = new Map<string, Counter>();
  return {
    async consume(limit, key) {
      const counter = counters.get(limit.name) ?? counterOf(limit);
      counters.set(limit.name, counter);
      const [allowed, state] = await counter.consume(key).then(
        (result) => [true, result] as const,
        (refusal: unknown) => {
          if (refusal instanceof RateLimiterRes) return [false, refusal] as const;
          throw refusal;
        },
      );
      const resetSeconds = Math.max(1, Math.ceil(state.msBeforeNext / 1000));
      return { allowed, limit: limit.points, remaining: state.remainingPoints, resetSeconds };
    },
  };
}

/** Counts one limit in this process. */
export const inMemory = ({ name, points, seconds }: RateLimit): RateLimiterMemory =>
  new RateLimiterMemory({ keyPrefix: name, points, duration: seconds });

/** Counts in this process. */
export const createMemoryRateLimiter = (): RateLimiter => createRateLimiter(inMemory);
