import { availableParallelism } from 'node:os';
import { hash, verify } from '@node-rs/argon2';
import type { PasswordHasher } from '../domain/deps.ts';
import { unavailable } from '../kernel/errors.ts';
import { createSemaphore } from '../kernel/semaphore.ts';

/** argon2id (the library's default variant) at OWASP's first recommended setting: 19 MiB, 2 passes, 1 lane. */
const PARAMETERS = { memoryCost: 19_456, timeCost: 2, parallelism: 1 };

/** One core stays free for everything else; whoever would wait long is told to come again. */
export function createPasswordHasher(): PasswordHasher {
  const oneOfFew = createSemaphore({
    permits: Math.max(1, availableParallelism() - 1),
    maxQueue: 64,
    maxWaitMs: 5_000,
    refuse: () => unavailable('too_many_sign_ins', 'Too many sign-ins at once. Try again.'),
  });
  return {
    hash: (password) => oneOfFew(() => hash(password, PARAMETERS)),
    verify: (stored, password) => oneOfFew(() => verify(stored, password)),
  };
}
