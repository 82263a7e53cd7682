import { rm } from 'node:fs/promises';
import postgres from 'postgres';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { newId } from '../../src/kernel/ids.ts';
import { createDatabase } from '../support/database.ts';
import { temporaryDirectory, tenantry } from '../support/service.ts';

/* What an operator sees of work that was given up, and has done again. */

let database: Awaited<ReturnType<typeof createDatabase>>;
let sql: postgres.Sql;
let environment: NodeJS.ProcessEnv;
let directory: string;

beforeAll(async () => {
  directory = await temporaryDirectory();
  database = await createDatabase('migrated');
  sql = postgres(database.url, { max: 1, onnotice: () => {} });
  const AUTH_SECRET = 'a-secret-for-tests-that-is-long-enough';
  environment = { DATABASE_URL: database.url, AUTH_SECRET, DATA_DIR: directory };
});
afterAll(async () => {
  await sql.end();
  await database.drop();
  await rm(directory, { recursive: true, force: true });
});
beforeEach(() => sql`delete from jobs`);

async function addJob(job: { name: string; error: string; failedAt?: string }): Promise<string> {
  const id = newId();
  const payload = sql.json({ to: 'private@example.org' });
  await sql`insert into jobs (id, name, payload, run_at, attempts, last_error, failed_at, created_at)
    values (${id}, ${job.name}, ${payload}, now(), 9, ${job.error}, ${job.failedAt ?? null}, '2026-01-01T08:00:00Z')`;
  return id;
}
const givenUp = async () =>
  (await sql`select id from jobs where failed_at is not null order by id`).map(({ id }) => id);
const jobs = (...args: string[]) => tenantry(['jobs', ...args], environment);
const doctor = async () => (await tenantry(['doctor'], environment)).stdout;

test('without any, nothing is amiss', async () => {
  expect(await jobs('list')).toMatchObject({ code: 0, stdout: 'No job was given up.\n' });
  expect(await jobs('retry')).toMatchObject({ code: 0, stdout: 'No job was given up.\n' });
  expect(await doctor()).toContain('ok    jobs: none was given up\n');
});

test('doctor counts them by kind with the newest error, and says what to do', async () => {
  await addJob({ name: 'mail.link', error: '550 older', failedAt: '2026-01-02T08:00:00Z' });
  await addJob({ name: 'mail.link', error: '550 newer', failedAt: '2026-01-03T08:00:00Z' });
  await addJob({ name: 'mail.notice', error: 'Invalid login', failedAt: '2026-01-02T09:00:00Z' });
  await addJob({ name: 'mail.invitation', error: 'still trying' });
  expect(await doctor()).toContain(
    'FAIL  jobs: given up: 2 mail.link (550 newer); 1 mail.notice (Invalid login)\n' +
      '      → Mend the cause, then run `tenantry jobs retry`. `tenantry jobs list` shows each.\n',
  );
});

test('doctor tells of those that are tried again, which is no fault', async () => {
  await addJob({ name: 'mail.link', error: '451 come again' });
  expect(await doctor()).toContain(
    'ok    jobs: none was given up; tried again: 1 mail.link (451 come again)\n',
  );
});

test('list shows each with its error, newest first, and not what it carries', async () => {
  const older = await addJob({ name: 'mail.link', error: '550 older', failedAt: '2026-01-02T08:00:00Z' });
  const newer = await addJob({ name: 'mail.notice', error: '554 newer', failedAt: '2026-01-03T08:00:00Z' });
  await addJob({ name: 'mail.invitation', error: 'still trying' });
  const line = (id: string, kind: string, day: number, error: string) =>
    `${id}  ${kind}  asked for 2026-01-01 08:00 UTC, given up 2026-01-0${day} 08:00 UTC, attempts: 9\n      ${error}\n`;
  expect(await jobs('list')).toMatchObject({
    code: 0,
    stdout: line(newer, 'mail.notice', 3, '554 newer') + line(older, 'mail.link', 2, '550 older'),
  });
});

test('retry has one of them, or all, begin anew', async () => {
  const failedAt = '2026-01-02T08:00:00Z';
  const ids = [
    await addJob({ name: 'mail.link', error: 'a', failedAt }),
    await addJob({ name: 'mail.link', error: 'b', failedAt }),
    await addJob({ name: 'mail.link', error: 'c', failedAt }),
  ];
  const [first = ''] = ids;
  expect(await jobs('retry', first)).toMatchObject({ code: 0, stdout: 'One job is tried again.\n' });
  expect(await givenUp()).toEqual(ids.slice(1));
  expect(
    await sql`select attempts, run_at > now() - interval '1 minute' as due from jobs where id = ${first}`,
  ).toMatchObject([{ attempts: 0, due: true }]);
  expect(await jobs('retry')).toMatchObject({ code: 0, stdout: '2 jobs are tried again.\n' });
  expect(await givenUp()).toEqual([]);
  expect(await jobs('retry', first)).toMatchObject({ code: 1, stderr: 'Failed job not found.\n' });
  expect(await jobs('retry', 'all')).toMatchObject({ code: 1, stderr: 'all is not the id of a job.\n' });
});
