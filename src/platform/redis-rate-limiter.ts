import { Redis } from 'ioredis';
import { RateLimiterRedis } from 'rate-limiter-flexible';
import type { RateLimiter } from '../domain/deps.ts';
import { reasonOf } from '../kernel/reason.ts';
import { createRateLimiter, inMemory } from './rate-limiter.ts';

/** Redis is asked for every call: what it does not answer in time is counted here. In milliseconds. */
const PATIENCE = { connectTimeout: 2_000, commandTimeout: 250 };
const MAX_RECONNECT_MS = 1_000;

/**
 * Counts in Redis, so that limits hold over all processes. While Redis does not answer, each process counts for itself:
 * nobody is kept out for that, and nobody may do without limits. `onChange` is told when it goes and when it is back.
 */
export function createRedisRateLimiter(
  url: string,
  onChange: (isConnected: boolean, reason?: string) => void,
): RateLimiter & { close(): void } {
  const client = new Redis(url, {
    ...PATIENCE,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    retryStrategy: (attempts) => Math.min(attempts * 50, MAX_RECONNECT_MS),
  });
  let isConnected: boolean | undefined;
  const change = (to: boolean, reason?: string) => {
    if (isConnected !== to) onChange(to, reason);
    isConnected = to;
  };
  client.on('ready', () => change(true));
  client.on('close', () => change(false));
  client.on('error', (error: Error) => change(false, reasonOf(error)));
  const limiter = createRateLimiter(
    (limit) =>
      new RateLimiterRedis({
        storeClient: client,
        keyPrefix: `tenantry:${limit.name}`,
        points: limit.points,
        duration: limit.seconds,
        rejectIfRedisNotReady: true,
        insuranceLimiter: inMemory(limit),
      }),
  );
  return { ...limiter, close: () => client.disconnect() };
}
