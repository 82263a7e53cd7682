import { defineConfig } from 'vitest/config';
import base from './vitest.config.ts';

const { FAULT_ROUNDS = '20', RACE_ROUNDS = '20', FUZZ_RUNS = '100' } = process.env;

/** What the suite does a few times, often, one file after another: the figures of docs/reliability.md. */
export default defineConfig({
  test: {
    ...base.test,
    include: [
      'tests/soak/**/*.test.ts',
      'tests/faults/**/*.test.ts',
      'tests/security/**/*.test.ts',
      'tests/api/*races.test.ts',
    ],
    exclude: [],
    env: { FAULT_ROUNDS, RACE_ROUNDS, FUZZ_RUNS },
    fileParallelism: false,
    testTimeout: 3_600_000,
  },
});
