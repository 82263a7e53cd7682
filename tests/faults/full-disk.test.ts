import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import postgres from 'postgres';
import { expect, onTestFinished, test, vi } from 'vitest';
import { findRunning } from '../../src/db/embedded/index.ts';
import { httpCaller, times } from '../support/harness.ts';
import { auditOf, type Load, startLoad, totalOf } from '../support/load.ts';
import { faultRoundsOf, tell } from '../support/rounds.ts';
import {
  freePort,
  ROOT,
  type Service,
  signInRoot,
  startService,
  temporaryDirectory,
} from '../support/service.ts';

const ROUNDS = faultRoundsOf(1);
const WRITES = 20;
const REFUSALS = 20;
const MEGABYTES = 160;

const mount = (directory: string) => ['-t', 'tmpfs', '-o', `size=${MEGABYTES}m,mode=755`, 'tmpfs', directory];

/** Writes until nothing more fits. */
async function fill(file: string): Promise<void> {
  const handle = await open(file, 'w');
  try {
    for (const size of [1 << 20, 4096]) {
      const block = Buffer.alloc(size);
      for (let written = size; written === size; ) {
        written = await handle.write(block).then(
          ({ bytesWritten }) => bytesWritten,
          () => 0,
        );
      }
    }
  } finally {
    await handle.close();
  }
}

test.skipIf(!existsSync('/dev/full'))(
  'the disk of the log full: the service answers, and ends',
  async () => {
    const [directory, port, log] = [
      await temporaryDirectory(),
      await freePort(),
      await open('/dev/full', 'w'),
    ];
    onTestFinished(async () => {
      await log.close();
      await rm(directory, { recursive: true, force: true });
    });
    const environment = { PATH: process.env.PATH, DATA_DIR: directory, PORT: String(port) };
    const stdio = ['ignore', log.fd, 'inherit'] as const;
    const child = spawn(process.execPath, ['dist/service/main.js'], { env: environment, stdio: [...stdio] });
    onTestFinished(() => void child.kill('SIGKILL'));
    const ended = once(child, 'exit');
    const isUp = async () => expect((await fetch(`http://127.0.0.1:${port}/health`)).status).toBe(200);
    await vi.waitFor(isUp, 60_000);
    for (const _request of times(20, (n) => n)) await isUp(); // each has its line
    child.kill('SIGTERM');
    expect(await ended).toEqual([0, null]);
  },
  120_000,
);

test('the disk full under load: 503 until there is room again, and nothing is lost', async ({ skip }) => {
  const directory = await temporaryDirectory();
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  if (spawnSync('mount', mount(directory)).status !== 0) skip('only who may mount can have a small disk');
  onTestFinished(() => void execFileSync('umount', ['-l', directory]));
  const environment = { DATA_DIR: directory, RATE_LIMIT_PER_MINUTE: '0', ...ROOT };
  const filler = join(directory, 'filler');
  const loads: Load[] = [];
  const recoveries: number[] = [];
  let restarts = -1;

  async function start(): Promise<{ service: Service; load: Load }> {
    restarts += 1;
    const service = await startService(environment);
    const caller = httpCaller(service.baseUrl, await signInRoot(service.baseUrl));
    const load = startLoad(caller, { untilLost: true });
    loads.push(load);
    return { service, load };
  }
  let now = await start();
  onTestFinished(async () => void (await now.service.end('SIGTERM')));
  const hasEnded = () => now.service.child.exitCode !== null;

  for (const _round of times(ROUNDS, (n) => n)) {
    await now.load.more(WRITES);
    const before = now.load.statuses.get(503) ?? 0;
    await fill(filler);
    await vi.waitFor(
      () => expect(hasEnded() || (now.load.statuses.get(503) ?? 0) >= before + REFUSALS).toBe(true),
      60_000,
    );
    await rm(filler);
    const back = performance.now();
    // Where PostgreSQL cannot even write its log ahead it ends, and the service with it: who supervises it starts it again.
    if (hasEnded()) now = await start();
    await now.load.more(1);
    recoveries.push(performance.now() - back);
  }
  for (const load of loads) await load.stop();
  const sql = postgres((await findRunning(directory)) ?? '', { max: 1 });
  onTestFinished(() => sql.end());
  const acknowledged = loads.flatMap((load) => load.acknowledged);
  const { lost, violated } = await auditOf(sql, { acknowledged });
  const countOf = (status: number) =>
    loads.map(({ statuses }) => statuses.get(status) ?? 0).reduce((a, b) => a + b, 0);
  tell('Disk full', {
    rounds: ROUNDS,
    requests: loads.map(totalOf).reduce((a, b) => a + b, 0),
    acknowledged: acknowledged.length,
    'answered 503': countOf(503),
    lost: lost.length,
    violated: violated.length,
    'answered 500': countOf(500),
    restarts,
    'slowest recovery in ms': Math.max(...recoveries),
  });
  expect({ lost, violated, faults: countOf(500) }).toEqual({ lost: [], violated: [], faults: 0 });
}, 600_000);
