import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import postgres from 'postgres';
import { expect, onTestFinished, test } from 'vitest';
import { findRunning } from '../../src/db/embedded/index.ts';
import { httpCaller, times } from '../support/harness.ts';
import { faultRoundsOf, tell } from '../support/rounds.ts';
import { ROOT, type Service, signInRoot, startService, temporaryDirectory } from '../support/service.ts';

const ROUNDS = faultRoundsOf(10);
const WRITERS = 8;
const WRITES_BEFORE_KILL = 20;

/** Creates organizations until the service is gone; resolves with the ids that it acknowledged. */
async function writeUntilKilled(service: Service, kill: () => Promise<unknown>): Promise<string[]> {
  const root = httpCaller(service.baseUrl, await signInRoot(service.baseUrl));
  const acknowledged: string[] = [];
  let killed: Promise<unknown> | undefined;
  await Promise.all(
    times(WRITERS, async (writer) => {
      for (let n = 0; killed === undefined; n += 1) {
        const reply = await root
          .post('organization.create', { name: `w${writer} ${n}` })
          .catch(() => undefined);
        if (reply?.status === 200) acknowledged.push(reply.body.id);
        if (acknowledged.length >= WRITES_BEFORE_KILL) killed ??= kill();
      }
    }),
  );
  await killed;
  return acknowledged;
}

test('killed ten times while it writes, the service keeps everything that it acknowledged', async () => {
  const directory = await temporaryDirectory();
  const environment = { DATA_DIR: directory, LOG_LEVEL: 'info', ...ROOT };
  const acknowledged: string[] = [];
  const starts: number[] = [];
  let service = await startService(environment);
  onTestFinished(async () => {
    await service.end('SIGTERM');
    await rm(directory, { recursive: true, force: true });
  });

  for (const round of times(ROUNDS, (n) => n)) {
    const { end } = service;
    const postmaster = Number(
      (await readFile(join(directory, 'postgres/postmaster.pid'), 'utf8')).split('\n')[0],
    );
    const ids = await writeUntilKilled(service, () => {
      // Every other time the database server dies as hard as the service; otherwise it is left an orphan.
      if (round % 2 === 1) process.kill(postmaster, 'SIGKILL');
      return end('SIGKILL');
    });
    acknowledged.push(...ids);
    const started = performance.now();
    service = await startService(environment);
    starts.push(performance.now() - started);
  }

  expect(acknowledged.length).toBeGreaterThanOrEqual(ROUNDS * WRITES_BEFORE_KILL);
  const url = await findRunning(directory);
  if (url === undefined) throw new Error('The embedded server does not run.');
  const sql = postgres(url, { max: 1 });
  onTestFinished(() => sql.end());
  const rows = await sql<{ id: string; owners: number; audited: number }[]>`
    select o.id,
      (select count(*)::int from memberships m
        where m.organization_id = o.id and m.role = 'owner' and m.user_id = o.owner_id) as owners,
      (select count(*)::int from audit_log a
        where a.organization_id = o.id and a.action = 'create' and a.resource_type = 'organization') as audited
    from organizations o`;
  const stored = new Set(rows.map(({ id }) => id));
  const lost = acknowledged.filter((id) => !stored.has(id));
  const violated = rows.filter(({ owners, audited }) => owners !== 1 || audited !== 1);
  tell('Killed with and without its PostgreSQL', {
    rounds: ROUNDS,
    acknowledged: acknowledged.length,
    lost: lost.length,
    violated: violated.length,
    'slowest start in ms': Math.max(...starts),
  });
  expect(lost).toEqual([]);
  expect(violated).toEqual([]);
}, 600_000);
