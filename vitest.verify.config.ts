import { defineConfig } from 'vitest/config';

/** The tests that need no database: layers, contract drift, pure rules. */
export default defineConfig({
  test: {
    include: [
      'tests/architecture.test.ts',
      'tests/openapi.test.ts',
      'tests/permissions-doc.test.ts',
      'tests/kernel/**/*.test.ts',
    ],
  },
});
