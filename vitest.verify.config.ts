import { defineConfig } from 'vitest/config';

/** The tests that need no database: layers, contract drift, pure rules. */
export default defineConfig({
  test: {
    testTimeout: 30_000,
    include: [
      'tests/architecture.test.ts',
      'tests/openapi.test.ts',
      'tests/permissions-doc.test.ts',
      'tests/kernel/**/*.test.ts',
    ],
  },
});
