import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { createSemaphore } from '../../src/kernel/semaphore.ts';

/** A task that runs until it is told to end. */
function task() {
  const state = { started: false };
  const controls = { end: () => {}, fail: () => {} };
  const result = new Promise<string>((resolve, reject) => {
    controls.end = () => resolve('done');
    controls.fail = () => reject(new Error('failed'));
  });
  const run = () => {
    state.started = true;
    return result;
  };
  return { run, state, ...controls };
}

const tasks = (count: number) => Array.from({ length: count }, task);
const startedOf = (all: ReturnType<typeof task>[]) => all.map(({ state }) => state.started);
const refuse = () => new Error('refused');

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe('createSemaphore', () => {
  test('runs as many at once as there are permits, and the rest in order', async () => {
    const run = createSemaphore({ permits: 2, maxWaitMs: 1000, refuse });
    const all = tasks(4);
    const results = all.map((each) => run(each.run));
    await vi.advanceTimersByTimeAsync(0);
    expect(startedOf(all)).toEqual([true, true, false, false]);
    all[1]?.end();
    await vi.advanceTimersByTimeAsync(0);
    expect(startedOf(all)).toEqual([true, true, true, false]);
    for (const each of all) each.end();
    expect(await Promise.all(results)).toEqual(['done', 'done', 'done', 'done']);
  });

  test('whoever waits too long is refused and never runs', async () => {
    const run = createSemaphore({ permits: 1, maxWaitMs: 1000, refuse });
    const [first, second] = [task(), task()];
    const running = run(first.run);
    const waiting = run(second.run).catch((error: Error) => error.message);
    await vi.advanceTimersByTimeAsync(1000);
    expect(await waiting).toBe('refused');
    first.end();
    await running;
    await vi.advanceTimersByTimeAsync(0);
    expect(second.state.started).toBe(false);
  });

  test('a permit is not lost by a refusal, a failure or a hand-over', async () => {
    const run = createSemaphore({ permits: 1, maxWaitMs: 1000, refuse });
    const [failing, late, next] = [task(), task(), task()];
    const results = [run(failing.run), run(late.run)].map((each) =>
      each.catch((error: Error) => error.message),
    );
    await vi.advanceTimersByTimeAsync(1000);
    failing.fail();
    expect(await Promise.all(results)).toEqual(['failed', 'refused']);
    const result = run(next.run);
    await vi.advanceTimersByTimeAsync(0);
    expect(next.state.started).toBe(true);
    next.end();
    expect(await result).toBe('done');
  });

  test('a full queue refuses at once', async () => {
    const run = createSemaphore({ permits: 1, maxQueue: 1, maxWaitMs: 1000, refuse });
    const all = tasks(3);
    const [first, second, third] = all.map((each) => run(each.run));
    await expect(third).rejects.toThrow('refused');
    for (const each of all) each.end();
    expect(await Promise.all([first, second])).toEqual(['done', 'done']);
    expect(startedOf(all)).toEqual([true, true, false]);
  });
});
