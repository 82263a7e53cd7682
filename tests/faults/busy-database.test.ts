import { expect, test } from 'vitest';
import { hold } from '../http/held.ts';
import { createHarness, times } from '../support/harness.ts';
import { faultRoundsOf, tell } from '../support/rounds.ts';

const ROUNDS = faultRoundsOf(1);
const REQUESTS = 100;
/** 2 s for a connection to find the caller, 2 s for the next one, 2 s for the lock, and what a busy machine needs. */
const BOUND_MS = 8_000;

test('four connections, all of them waiting for a lock, and a hundred requests: 503 in time, and health at once', async () => {
  await using h = await createHarness({ DATABASE_POOL_SIZE: '4', RATE_LIMIT_PER_MINUTE: '0' });
  const ada = await h.user();
  const figures = { slowestMs: 0, slowestHealthMs: 0, recoveryMs: 0 };
  const timed = async <T>(task: Promise<T>, key: 'slowestMs' | 'slowestHealthMs' | 'recoveryMs') => {
    const started = performance.now();
    const result = await task;
    figures[key] = Math.max(figures[key], performance.now() - started);
    return result;
  };
  for (const _round of times(ROUNDS, (n) => n)) {
    const held = await hold(h.databaseUrl, 'lock table organizations in access exclusive mode');
    const flood = Promise.all(times(REQUESTS, () => timed(ada.get('organization.all'), 'slowestMs')));
    await held.waiters(4);
    const healths = await Promise.all(
      times(10, () => timed(h.anonymous.send('/health', {}), 'slowestHealthMs')),
    );
    expect(new Set(healths.map(({ status }) => status))).toEqual(new Set([200]));
    const replies = await flood;
    expect(new Set(replies.map(({ status }) => status))).toEqual(new Set([503]));
    expect(replies.every(({ headers }) => headers.get('retry-after') === '1')).toBe(true);
    await held.release();
    expect((await timed(ada.get('organization.all'), 'recoveryMs')).status).toBe(200);
  }
  tell('Pool exhausted, locks held', {
    rounds: ROUNDS,
    requests: ROUNDS * REQUESTS,
    'answered 500': 0,
    ...figures,
  });
  expect(figures.slowestMs).toBeLessThan(BOUND_MS);
  expect(figures.slowestHealthMs).toBeLessThan(1_500);
}, 600_000);
