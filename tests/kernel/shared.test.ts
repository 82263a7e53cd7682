import { setImmediate as turn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { createShared } from '../../src/kernel/shared.ts';

/** A task that ends when it is told to, and says its number in the order in which they began. */
function createTasks() {
  const begun: { end: () => void; fail: () => void }[] = [];
  const task = () =>
    new Promise<number>((resolve, reject) => {
      const number = begun.length;
      begun.push({ end: () => resolve(number), fail: () => reject(new Error(`${number} failed`)) });
    });
  return { begun, task };
}

test('whoever asks while a task runs is answered by one that begins afterwards, with all others', async () => {
  const share = createShared<number>();
  const { begun, task } = createTasks();
  const first = share('a', task);
  const others = [share('a', task), share('a', task), share('a', task)];
  await turn();
  expect(begun).toHaveLength(1);
  begun[0]?.end();
  expect(await first).toBe(0);
  await turn();
  expect(begun).toHaveLength(2);

  const late = share('a', task);
  begun[1]?.end();
  expect(await Promise.all(others)).toEqual([1, 1, 1]);
  await turn();
  begun[2]?.end();
  expect(await late).toBe(2);
});

test('what fails, fails for those who shared it, and is tried anew for the next', async () => {
  const share = createShared<number>();
  const { begun, task } = createTasks();
  const first = share('a', task);
  const second = share('a', task);
  begun[0]?.fail();
  await expect(first).rejects.toThrow('0 failed');
  await turn();
  begun[1]?.fail();
  await expect(second).rejects.toThrow('1 failed');
  const third = share('a', task);
  begun[2]?.end();
  expect(await third).toBe(2);
});

test('nobody waits for another key', async () => {
  const share = createShared<number>();
  const { begun, task } = createTasks();
  const answers = [share('a', task), share('b', task)];
  expect(begun).toHaveLength(2);
  for (const { end } of begun) end();
  expect(await Promise.all(answers)).toEqual([0, 1]);
});
