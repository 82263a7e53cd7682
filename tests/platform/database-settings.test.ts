import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import postgres from 'postgres';
import { expect, onTestFinished, test } from 'vitest';
import { backup } from '../../src/cli/backup.ts';
import { restore } from '../../src/cli/restore.ts';
import { readConfig } from '../../src/config.ts';
import { migrateDatabase } from '../../src/db/migrate.ts';
import { createDatabase } from '../support/database.ts';
import { httpCaller, times } from '../support/harness.ts';
import { ROOT, signInRoot, startService, temporaryDirectory, tenantry } from '../support/service.ts';

const AUTH_SECRET = 'one-secret-for-the-database-and-its-copy';

/** A database without tables, and a connection of an operator to it. */
async function emptyDatabase() {
  const { name, url, drop } = await createDatabase('empty');
  const sql = postgres(url, { max: 1, onnotice: () => {} });
  onTestFinished(drop);
  onTestFinished(() => sql.end());
  return { name, url, sql };
}

test('a database with another style of dates, time zone and isolation level serves and is backed up as any other', async () => {
  const directory = await temporaryDirectory();
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  const { name, url, sql } = await emptyDatabase();
  await sql.unsafe(`alter database ${name} set datestyle = 'SQL, DMY'`);
  await sql.unsafe(`alter database ${name} set timezone = 'Asia/Kolkata'`);
  await sql.unsafe(`alter database ${name} set default_transaction_isolation = 'repeatable read'`);

  const environment = { DATABASE_URL: url, AUTH_SECRET, DATA_DIR: join(directory, 'first') };
  const service = await startService({ ...environment, ...ROOT, RATE_LIMIT_PER_MINUTE: '0' });
  onTestFinished(async () => void (await service.end('SIGTERM')));
  const root = httpCaller(service.baseUrl, await signInRoot(service.baseUrl));
  const { body: me } = await root.post('user.update', { dateOfBirth: '1990-03-04' });
  expect(me).toMatchObject({ dateOfBirth: '1990-03-04' });
  expect(Math.abs(Date.now() - Date.parse(me.updatedAt))).toBeLessThan(60_000);
  const invited = await Promise.all(
    times(8, (n) =>
      root.post('organization.inviteMember', { email: `guest${n}@example.org`, role: 'member' }),
    ),
  );
  expect(invited.map(({ status }) => status)).toEqual(times(8, () => 200));

  const file = join(directory, 'backup.tar.gz');
  await backup(readConfig(environment), file);
  const copy = await emptyDatabase();
  const elsewhere = { DATABASE_URL: copy.url, AUTH_SECRET, DATA_DIR: join(directory, 'second') };
  await restore(readConfig(elsewhere), file);
  expect([...(await copy.sql`select date_of_birth::text from users`)]).toEqual([
    { date_of_birth: '1990-03-04' },
  ]);
  expect((await tenantry(['audit', 'verify'], elsewhere)).stdout).toContain(' 0 chains broken');
}, 120_000);

test('a search_path that leads elsewhere is refused before anything is made, with the command that mends it', async () => {
  const { name, url, sql } = await emptyDatabase();
  await sql`create schema app`;
  await sql.unsafe(`alter database ${name} set search_path = app, public`);
  await expect(migrateDatabase(url)).rejects.toThrow(
    /begins with the schema app, .* Run ALTER ROLE .* SET search_path = public/,
  );
  expect([...(await sql`select from pg_tables where schemaname in ('app', 'public')`)]).toEqual([]);
});

test('a new installation is refused in a database that cannot write every name', async () => {
  const { name, url, sql } = await emptyDatabase();
  const latin = `${name}_latin`;
  await sql.unsafe(`create database ${latin} encoding 'LATIN1' locale 'C' template template0`);
  try {
    const place = new URL(url);
    place.pathname = latin;
    await expect(migrateDatabase(place.href)).rejects.toThrow(`${latin} has the encoding LATIN1`);
  } finally {
    await sql.unsafe(`drop database ${latin}`);
  }
});
