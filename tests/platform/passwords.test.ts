import { availableParallelism } from 'node:os';
import { expect, test } from 'vitest';
import { createPasswordHasher } from '../../src/platform/passwords.ts';
import { times } from '../support/harness.ts';

const QUEUE = 64;

test('hashes wait for one core less than there are, and who would wait long is told to come again', async () => {
  const { hash } = createPasswordHasher();
  const atOnce = Math.max(1, availableParallelism() - 1);
  const beyond = 8;
  const results = await Promise.allSettled(times(atOnce + QUEUE + beyond, () => hash('Correct-horse-1')));
  const refused = results.flatMap((result) => (result.status === 'rejected' ? [result.reason] : []));
  expect(refused.length).toBeGreaterThanOrEqual(beyond); // on a slow machine some of the queue are too
  for (const reason of refused) {
    expect(reason).toMatchObject({ code: 'SERVICE_UNAVAILABLE', reason: 'too_many_sign_ins' });
  }
  expect(results.length - refused.length).toBeGreaterThan(0);
});
