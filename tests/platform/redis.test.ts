import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { createRedisRateLimiter } from '../../src/platform/redis-rate-limiter.ts';
import { createHarness, type Harness, PASSWORD } from '../support/harness.ts';
import { createRedisServer, missingForRedis } from '../support/redis.ts';

/* Limits of several processes, counted in one Redis, and what holds while it is away. */

const LIMIT = { name: 'tries', points: 2, seconds: 60 };
const missing = missingForRedis();

describe.skipIf(missing !== undefined)(`with a Redis${missing === undefined ? '' : ` (${missing})`}`, () => {
  let redis: Awaited<ReturnType<typeof createRedisServer>>;
  beforeAll(async () => {
    redis = await createRedisServer();
  });
  afterAll(() => redis[Symbol.asyncDispose]());

  /** As one process has it, once it is connected. */
  async function limiter() {
    const said: boolean[] = [];
    const made = createRedisRateLimiter(redis.url, (isConnected) => void said.push(isConnected));
    await vi.waitFor(() => expect(said.at(-1)).toBe(true), { timeout: 10_000 });
    const allowed = async (key: string) => (await made.consume(LIMIT, key)).allowed;
    return { ...made, allowed, said };
  }

  test('what one process has counted, another refuses', async () => {
    const [one, other] = [await limiter(), await limiter()];
    expect(await one.consume(LIMIT, 'shared')).toMatchObject({ allowed: true, limit: 2, remaining: 1 });
    expect(await other.allowed('shared')).toBe(true);
    const refused = await one.consume(LIMIT, 'shared');
    expect(refused).toMatchObject({ allowed: false, remaining: 0 });
    expect(refused.resetSeconds).toBeGreaterThan(50);
    expect(await other.allowed('somebody else')).toBe(true);
    one.close();
    other.close();
  });

  test('while it is away each counts for itself, and together again when it is back', async () => {
    const [one, other] = [await limiter(), await limiter()];
    await redis.stop();
    await vi.waitFor(() => expect([one.said.at(-1), other.said.at(-1)]).toEqual([false, false]));
    const counted = [];
    for (let i = 0; i < 3; i += 1) counted.push([await one.allowed('away'), await other.allowed('away')]);
    expect(counted).toEqual([
      [true, true],
      [true, true],
      [false, false],
    ]);
    await redis.start();
    await vi.waitFor(() => expect([one.said.at(-1), other.said.at(-1)]).toEqual([true, true]), {
      timeout: 10_000,
    });
    expect([await one.allowed('back'), await other.allowed('back'), await one.allowed('back')]).toEqual([
      ...[true, true, false],
    ]);
    one.close();
    other.close();
  });

  test('while it is frozen a call waits for a moment and is then counted here', async () => {
    const one = await limiter();
    redis.signal('SIGSTOP');
    const began = performance.now();
    const answers = await Promise.all([1, 2, 3].map(() => one.allowed('frozen')));
    redis.signal('SIGCONT');
    expect(answers).toEqual([true, true, false]);
    expect(performance.now() - began).toBeLessThan(5_000);
    one.close();
  });

  test('two services refuse whoever guesses at both of them', async () => {
    const services: Harness[] = [];
    for (const _ of ['one', 'other']) services.push(await createHarness({ REDIS_URL: redis.url }));
    const guess = { email: 'victim@example.org', password: `not ${PASSWORD}` };
    const statuses: number[] = [];
    for (let i = 0; i < 11; i += 1) {
      const service = services[i % 2];
      statuses.push((await service?.anonymous.post('auth/sign-in/email', guess))?.status ?? 0);
    }
    expect(statuses).toEqual([...Array(10).fill(401), 429]);
    for (const service of services) await service[Symbol.asyncDispose]();
  });

  test('a service starts without it, and says so', async () => {
    await redis.stop();
    const h = await createHarness({ REDIS_URL: redis.url });
    expect((await h.anonymous.get('portal.tiers')).status).toBe(200);
    await vi.waitFor(() => expect(h.logLines.join('')).toContain('Redis does not answer'));
    await h[Symbol.asyncDispose]();
    await redis.start();
  });
});
