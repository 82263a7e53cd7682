import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['tests/**/*.test.ts'],
    exclude: ['tests/soak/**'], // by `npm run test:soak`
    globalSetup: ['tests/support/global-setup.ts'],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    maxWorkers: 3, // on two cores: many a file waits for a time limit, or for a process to start
    isolate: false, // to load the service anew for each file takes longer than many a file
    restoreMocks: true,
    unstubEnvs: true,
  },
});
