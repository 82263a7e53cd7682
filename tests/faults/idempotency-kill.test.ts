import { randomUUID } from 'node:crypto';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import postgres from 'postgres';
import { expect, onTestFinished, test, vi } from 'vitest';
import { findRunning } from '../../src/db/embedded/index.ts';
import { type Caller, httpCaller, times } from '../support/harness.ts';
import { faultRoundsOf } from '../support/rounds.ts';
import { ROOT, type Service, signInRoot, startService, temporaryDirectory } from '../support/service.ts';

const ROUNDS = faultRoundsOf(5);
const WRITERS = 8;

type Request = { key: string; name: string; answer?: string };

const send = (root: Caller, { key, name }: Request) =>
  root.post('organization.create', { name }, { 'idempotency-key': key });

/** Creates organizations until the service is gone; resolves with every request that was sent, answered or not. */
async function writeUntilKilled(
  service: Service,
  cookie: Record<string, string>,
  writesBeforeKill: number,
  kill: () => Promise<unknown>,
): Promise<Request[]> {
  const root = httpCaller(service.baseUrl, cookie);
  const requests: Request[] = [];
  let answered = 0;
  let killed: Promise<unknown> | undefined;
  await Promise.all(
    times(WRITERS, async () => {
      while (killed === undefined) {
        const request: Request = { key: randomUUID(), name: `once ${requests.length} ${randomUUID()}` };
        requests.push(request);
        const reply = await send(root, request).catch(() => undefined);
        if (reply?.status === 200) {
          request.answer = reply.text;
          answered += 1;
        }
        if (answered >= writesBeforeKill) killed ??= kill();
      }
    }),
  );
  await killed;
  return requests;
}

/** Repeats a request until it is answered: while what is left of the dead process lets go, it is 409. */
const answerTo = (root: Caller, request: Request): Promise<string> =>
  vi.waitFor(
    async () => {
      const { status, text } = await send(root, request);
      expect(status, text).toBe(200);
      return text;
    },
    { timeout: 20_000, interval: 50 },
  );

test('killed again and again while it writes, every request repeated until answered is carried out once', async () => {
  const directory = await temporaryDirectory();
  const environment = { DATA_DIR: directory, LOG_LEVEL: 'info', ...ROOT };
  let service = await startService(environment);
  onTestFinished(async () => {
    await service.end('SIGTERM');
    await rm(directory, { recursive: true, force: true });
  });
  const cookie = await signInRoot(service.baseUrl);
  const all: Request[] = [];
  let lost = 0;

  for (const round of times(ROUNDS, (n) => n)) {
    const { end } = service;
    const pid = await readFile(join(directory, 'postgres/postmaster.pid'), 'utf8');
    const requests = await writeUntilKilled(service, cookie, 5 + 3 * round, () => {
      if (round % 2 === 1) process.kill(Number(pid.split('\n')[0]), 'SIGKILL');
      return end('SIGKILL');
    });
    service = await startService(environment);
    const root = httpCaller(service.baseUrl, cookie);
    lost += requests.filter(({ answer }) => answer === undefined).length;
    for (const request of requests) {
      const answer = await answerTo(root, request);
      expect(answer).toBe(request.answer ?? answer); // what was answered before is answered so again
      request.answer = answer;
    }
    all.push(...requests);
  }
  expect(lost).toBeGreaterThan(0);

  const url = await findRunning(directory);
  if (url === undefined) throw new Error('The embedded server does not run.');
  const sql = postgres(url, { max: 1 });
  onTestFinished(() => sql.end());
  const rows = await sql<{ id: string; name: string; audited: number }[]>`
    select o.id, o.name, (select count(*)::int from audit_log a
      where a.organization_id = o.id and a.action = 'create' and a.resource_type = 'organization') as audited
    from organizations o where o.name like 'once %'`;
  const made = rows.map(({ id, name, audited }) => ({ id, name, audited }));
  const wanted = all.map(({ name, answer = '' }) => ({ id: JSON.parse(answer).id, name, audited: 1 }));
  const byName = (a: { name: string }, b: { name: string }) => a.name.localeCompare(b.name);
  expect(made.sort(byName)).toEqual(wanted.sort(byName));
}, 600_000);
