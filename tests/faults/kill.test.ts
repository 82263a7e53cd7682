import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import postgres from 'postgres';
import { expect, onTestFinished, test } from 'vitest';
import { findRunning } from '../../src/db/embedded/index.ts';
import { createDatabase } from '../support/database.ts';
import { httpCaller, times } from '../support/harness.ts';
import { auditOf, type Load, startLoad, totalOf } from '../support/load.ts';
import { faultRoundsOf, tell } from '../support/rounds.ts';
import { ROOT, signInRoot, startService, temporaryDirectory } from '../support/service.ts';

const WRITERS = 16;
const WRITES_BEFORE_KILL = 40;

/** Kills a service in the middle of its writes, again and again, and looks at what its database holds then. */
async function killAgainAndAgain(
  what: string,
  rounds: number,
  environment: NodeJS.ProcessEnv & { DATA_DIR: string },
  killToo: (round: number) => Promise<unknown> = async () => {},
) {
  const settings = { ...environment, RATE_LIMIT_PER_MINUTE: '0', ...ROOT };
  const loads: Load[] = [];
  const starts: number[] = [];
  let service = await startService(settings);
  onTestFinished(async () => void (await service.end('SIGTERM')));
  for (const round of times(rounds, (n) => n)) {
    const root = httpCaller(service.baseUrl, await signInRoot(service.baseUrl));
    const load = startLoad(root, { untilLost: true, writers: WRITERS });
    await load.more(WRITES_BEFORE_KILL);
    await killToo(round);
    await service.end('SIGKILL');
    await load.stop();
    loads.push(load);
    const started = performance.now();
    service = await startService(settings);
    starts.push(performance.now() - started);
  }

  const sql = postgres(environment.DATABASE_URL ?? (await findRunning(environment.DATA_DIR)) ?? '', {
    max: 1,
  });
  onTestFinished(() => sql.end());
  const acknowledged = loads.flatMap((load) => load.acknowledged);
  const { lost, violated } = await auditOf(sql, { acknowledged });
  tell(what, {
    rounds,
    requests: loads.map(totalOf).reduce((a, b) => a + b, 0),
    acknowledged: acknowledged.length,
    lost: lost.length,
    violated: violated.length,
    'slowest start in ms': Math.max(...starts),
  });
  expect(acknowledged.length).toBeGreaterThanOrEqual(rounds * WRITES_BEFORE_KILL);
  expect({ lost, violated }).toEqual({ lost: [], violated: [] });
  const statuses = new Set(loads.flatMap((load) => [...load.statuses.keys()]));
  expect([...statuses].filter((status) => ![0, 200, 503].includes(status))).toEqual([]);
}

async function dataDirectory(): Promise<string> {
  const directory = await temporaryDirectory();
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

test('killed while it writes, the service keeps everything that it acknowledged', async () => {
  const DATA_DIR = await dataDirectory();
  const killServer = async (round: number) => {
    // Every other time the database server dies as hard as the service; otherwise it is left an orphan.
    if (round % 2 === 0) return;
    const file = await readFile(join(DATA_DIR, 'postgres/postmaster.pid'), 'utf8');
    process.kill(Number(file.split('\n')[0]), 'SIGKILL');
  };
  await killAgainAndAgain(
    'Killed with and without its PostgreSQL',
    faultRoundsOf(4),
    { DATA_DIR },
    killServer,
  );
}, 3_600_000);

test('so does one on a PostgreSQL that lives on', async () => {
  const database = await createDatabase('empty');
  onTestFinished(database.drop);
  const settings = {
    DATA_DIR: await dataDirectory(),
    DATABASE_URL: database.url,
    AUTH_SECRET: 'a-secret-for-tests-that-is-long-enough',
  };
  await killAgainAndAgain('Killed on a PostgreSQL of its own', faultRoundsOf(2), settings);
}, 3_600_000);
