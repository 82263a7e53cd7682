import { rm } from 'node:fs/promises';
import { expect, onTestFinished, test, vi } from 'vitest';
import { createDatabase } from '../support/database.ts';
import { httpCaller, times } from '../support/harness.ts';
import { ROOT, signInRoot, startService, temporaryDirectory } from '../support/service.ts';

/** On SIGUSR2, says whether Node.js follows promises: only then each has an id of its own. */
const PROBE = `
  import { executionAsyncId } from 'node:async_hooks';
  process.on('SIGUSR2', async () => {
    await null;
    const first = executionAsyncId();
    await null;
    console.log(first === executionAsyncId() ? 'promises: free' : 'promises: followed');
  });`;

test('after people have signed in, and asked for their sessions, nothing follows every promise any more', async () => {
  const database = await createDatabase('migrated');
  const directory = await temporaryDirectory();
  const service = await startService({
    DATABASE_URL: database.url,
    AUTH_SECRET: 'a-secret-for-tests-that-is-long-enough',
    DATA_DIR: directory,
    NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(PROBE)}`,
    ...ROOT,
  });
  onTestFinished(async () => {
    await service.end('SIGTERM');
    await database.drop();
    await rm(directory, { recursive: true, force: true });
  });
  const sessions = await Promise.all(times(4, () => signInRoot(service.baseUrl)));
  const replies = await Promise.all(
    sessions.map((session) => httpCaller(service.baseUrl, session).get('auth/get-session')),
  );
  expect(replies.map(({ body }) => body.user.email)).toEqual(times(4, () => ROOT.ROOT_EMAIL));
  service.child.kill('SIGUSR2');
  await vi.waitFor(() => expect(service.output.text).toContain('promises: '), 5_000);
  expect(service.output.text).toContain('promises: free');
});
