import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import postgres from 'postgres';
import { expect, onTestFinished, test, vi } from 'vitest';
import { findBinaries } from '../../src/db/embedded/binaries.ts';
import { prepareCluster } from '../../src/db/embedded/cluster.ts';
import { type RunningServer, runServer } from '../../src/db/embedded/server.ts';
import { findServerUser } from '../../src/db/embedded/user.ts';
import { httpCaller, times } from '../support/harness.ts';
import { auditOf, startLoad, totalOf } from '../support/load.ts';
import { faultRoundsOf, tell } from '../support/rounds.ts';
import { freePort, ROOT, signInRoot, startService, temporaryDirectory } from '../support/service.ts';

const ROUNDS = faultRoundsOf(2);
const WRITES = 20;

/** A PostgreSQL that comes back to where it was. */
async function createServer(directory: string) {
  const cluster = join(directory, 'postgres');
  const user = findServerUser(cluster);
  const log = () => {};
  const binaries = await findBinaries(user, log);
  const password = await prepareCluster({ directory, cluster, binaries, user });
  const port = await freePort();
  let running: RunningServer | undefined;
  const pid = async () => Number((await readFile(join(cluster, 'postmaster.pid'), 'utf8')).split('\n')[0]);
  return {
    url: `postgres://tenantry:${password}@127.0.0.1:${port}/postgres`,
    async start() {
      const { postgres } = binaries;
      running = await runServer({ postgres, cluster, user, settings: {}, log, pickPort: async () => port });
    },
    /** As an administrator stops it, and as a crash does. */
    async stop(signal: 'SIGINT' | 'SIGQUIT' | 'SIGKILL') {
      process.kill(await pid(), signal);
      await running?.ended;
    },
  };
}

test('PostgreSQL stopped, crashed and killed under load: 503 meanwhile, and nothing is lost', async () => {
  const directory = await temporaryDirectory();
  const server = await createServer(directory);
  await server.start();
  const service = await startService({
    DATABASE_URL: server.url,
    DATA_DIR: join(directory, 'data'),
    AUTH_SECRET: 'a-secret-for-tests-that-is-long-enough',
    RATE_LIMIT_PER_MINUTE: '0',
    ...ROOT,
  });
  const sql = postgres(server.url, { max: 1, onnotice: () => {} });
  onTestFinished(async () => {
    await sql.end();
    await service.end('SIGTERM');
    await server.stop('SIGINT');
    await rm(directory, { recursive: true, force: true });
  });
  const load = startLoad(httpCaller(service.baseUrl, await signInRoot(service.baseUrl)));
  const recoveries: number[] = [];
  for (const round of times(ROUNDS, (n) => n)) {
    await load.more(WRITES);
    const refused = load.statuses.get(503) ?? 0;
    await server.stop((['SIGINT', 'SIGKILL', 'SIGQUIT'] as const)[round % 3] ?? 'SIGINT');
    await vi.waitFor(() => expect(load.statuses.get(503) ?? 0).toBeGreaterThan(refused), 10_000);
    expect((await fetch(`${service.baseUrl}/health`)).status).toBe(200);
    await server.start();
    const back = performance.now();
    await load.more(1);
    recoveries.push(performance.now() - back);
  }
  await load.more(WRITES);
  await load.stop();
  expect([...load.statuses.keys()].sort()).toEqual([200, 503]);
  const { lost, violated } = await auditOf(sql, load);
  tell('PostgreSQL stopped, crashed and killed', {
    rounds: ROUNDS,
    requests: totalOf(load),
    acknowledged: load.acknowledged.length,
    'answered 503': load.statuses.get(503) ?? 0,
    lost: lost.length,
    violated: violated.length,
    'answered 500': load.statuses.get(500) ?? 0,
    'slowest recovery in ms': Math.max(...recoveries),
  });
  expect(lost).toEqual([]);
  expect(violated).toEqual([]);
}, 600_000);
