import postgres from 'postgres';
import { describe, expect, test, vi } from 'vitest';
import { createHarness, times } from '../support/harness.ts';
import { auditOf, startLoad, totalOf } from '../support/load.ts';
import { createRedisServer, missingForRedis } from '../support/redis.ts';
import { faultRoundsOf, tell } from '../support/rounds.ts';

const ROUNDS = faultRoundsOf(1);
const WRITES = 20;
const missing = missingForRedis();

describe.skipIf(missing !== undefined)(`Redis${missing === undefined ? '' : ` (${missing})`}`, () => {
  test('frozen, killed, and back with nothing in it, under load: no request fails', async () => {
    await using redis = await createRedisServer();
    await using h = await createHarness({ REDIS_URL: redis.url, RATE_LIMIT_PER_MINUTE: '1000000' });
    const { owner: root } = await h.organization();
    const isCounting = (inRedis: boolean) =>
      vi.waitFor(
        () => {
          const told = h.logLines.filter((line) => /counted in (?:Redis|this process)/.test(line)).at(-1);
          expect(told?.includes('limits are counted in Redis')).toBe(inRedis);
        },
        { timeout: 10_000, interval: 10 },
      );
    await isCounting(true);
    const load = startLoad(root);
    const recoveries: number[] = [];
    for (const _round of times(ROUNDS, (n) => n)) {
      await load.more(WRITES);
      redis.signal('SIGSTOP');
      await load.more(WRITES);
      redis.signal('SIGCONT');
      await redis.stop();
      await isCounting(false);
      await load.more(WRITES);
      await redis.start();
      const started = performance.now();
      await isCounting(true);
      recoveries.push(performance.now() - started);
    }
    await load.stop();
    const sql = postgres(h.databaseUrl, { max: 1 });
    const { lost, violated } = await auditOf(sql, load);
    await sql.end();
    tell('Redis frozen, killed and emptied', {
      rounds: ROUNDS,
      requests: totalOf(load),
      acknowledged: load.acknowledged.length,
      lost: lost.length,
      violated: violated.length,
      'slowest recovery in ms': Math.max(...recoveries),
    });
    expect([...load.statuses.keys()]).toEqual([200]);
    expect({ lost, violated }).toEqual({ lost: [], violated: [] });
  }, 600_000);
});
