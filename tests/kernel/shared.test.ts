import { setImmediate as turn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { createShared } from '../../src/kernel/shared.ts';

/** A task that begins, ends and fails when it is told to, and answers with its number in the order in which they were called. */
function createTasks() {
  const called: { begin: () => void; end: () => void; fail: () => void }[] = [];
  const task = (begin: () => void) =>
    new Promise<number>((resolve, reject) => {
      const number = called.length;
      called.push({
        begin,
        end: () => resolve(number),
        fail: () => reject(new Error(`${number} failed`)),
      });
    });
  return { called, task };
}

test('who comes before a task begins has its answer, who comes afterwards has a task of his own at once', async () => {
  const share = createShared<number>();
  const { called, task } = createTasks();
  const early = [share('a', task), share('a', task)];
  await turn();
  early.push(share('a', task)); // it was called, and waits for its turn
  expect(called).toHaveLength(1);

  called[0]?.begin();
  const late = share('a', task);
  await turn();
  expect(called).toHaveLength(2);
  called[1]?.end();
  expect(await late).toBe(1);
  called[0]?.end();
  expect(await Promise.all(early)).toEqual([0, 0, 0]);
});

test('what fails, also before it begins, fails for those who shared it and nobody else', async () => {
  const share = createShared<number>();
  const { called, task } = createTasks();
  const shared = [share('a', task), share('a', task)];
  await turn();
  called[0]?.fail();
  for (const answer of shared) await expect(answer).rejects.toThrow('0 failed');
  const next = share('a', task);
  await turn();
  called[1]?.end();
  expect(await next).toBe(1);
});

test('nobody has the answer to another question', async () => {
  const share = createShared<number>();
  const { called, task } = createTasks();
  const answers = [share('a', task), share('b', task)];
  await turn();
  for (const { end } of called) end();
  expect(await Promise.all(answers)).toEqual([0, 1]);
});
