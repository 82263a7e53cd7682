import { randomBytes } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { setTimeout as rest } from 'node:timers/promises';
import { hash, verify } from '@node-rs/argon2';
import type { PasswordHasher } from '../domain/deps.ts';
import { unavailable } from '../kernel/errors.ts';
import { createSemaphore } from '../kernel/semaphore.ts';

/** argon2id (the library's default variant) at OWASP's first recommended setting: 19 MiB, 2 passes, 1 lane. */
const PARAMETERS = { memoryCost: 19_456, timeCost: 2, parallelism: 1 };

/** What a slow core manages, with the rests. */
const PER_MINUTE = 600;

/** How long each hash rests, in times of what it took. */
const REST = 2;

/**
 * At most one hash for each core but one, and after each a rest: people who sign in at once take a third of the cores
 * that they may use, so that the others, who only read, keep more than half of what they have alone. Whoever would wait
 * long is told to come again.
 */
export function createPasswordHasher(): PasswordHasher {
  const permits = Math.max(1, availableParallelism() - 1);
  const oneOfFew = createSemaphore({
    permits,
    maxQueue: 64,
    maxWaitMs: 5_000,
    refuse: () => unavailable('too_many_sign_ins', 'Too many sign-ins at once. Try again.'),
  });
  /** The caller has the result at once; the rest keeps the next one waiting. */
  const paced = <T>(work: () => Promise<T>): Promise<T> =>
    new Promise((resolve, reject) => {
      const workThenRest = async () => {
        const start = performance.now();
        await work().then(resolve, reject);
        await rest(REST * (performance.now() - start));
      };
      oneOfFew(workThenRest).catch(reject);
    });
  let decoy: Promise<string> | undefined;
  return {
    perMinute: permits * PER_MINUTE,
    hash: (password) => paced(() => hash(password, PARAMETERS)),
    async verify(stored, password) {
      decoy ??= hash(randomBytes(16), PARAMETERS);
      const against = stored ?? (await decoy);
      return (await paced(() => verify(against, password))) && stored !== undefined;
    },
  };
}
