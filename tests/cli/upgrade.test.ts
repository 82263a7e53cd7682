import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import postgres from 'postgres';
import { expect, onTestFinished, test } from 'vitest';
import journal from '../../drizzle/meta/_journal.json' with { type: 'json' };
import { backup } from '../../src/cli/backup.ts';
import { restore } from '../../src/cli/restore.ts';
import { readConfig } from '../../src/config.ts';
import { startEmbedded } from '../../src/db/embedded/index.ts';
import { copyMigrations, migrateDatabase, migrationState, newestApplied } from '../../src/db/migrate.ts';
import { newId } from '../../src/kernel/ids.ts';
import { createDatabase } from '../support/database.ts';
import { temporaryDirectory } from '../support/service.ts';

const AUTH_SECRET = 'one-secret-before-and-after-the-upgrade';

test('a backup of an older version, from any PostgreSQL, becomes an up-to-date embedded installation', async () => {
  const directory = await temporaryDirectory();
  // Of the tests' PostgreSQL, which may be an older one than that which comes along.
  const { url, drop } = await createDatabase('empty');
  onTestFinished(drop);
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  const older = journal.entries.at(-3)?.when ?? 0;
  await copyMigrations(older, join(directory, 'migrations'));
  await migrateDatabase(url, join(directory, 'migrations'));
  const source = postgres(url, { max: 1 });
  expect(await newestApplied(source)).toBe(older);
  await source`insert into users (id, email, name, role) values (${newId()}, 'ada@example.org', 'Ada', 'rootAdmin')`;
  await source.end();

  const file = join(directory, 'before.tar.gz');
  await backup(readConfig({ DATABASE_URL: url, AUTH_SECRET, DATA_DIR: join(directory, 'old') }), file);
  const newer = await createDatabase('empty');
  onTestFinished(newer.drop);
  await migrateDatabase(newer.url);
  const intoNewer = readConfig({ DATABASE_URL: newer.url, AUTH_SECRET, DATA_DIR: join(directory, 'newer') });
  await expect(restore(intoNewer, file)).rejects.toThrow('tables of a newer version than the backup');

  const place = join(directory, 'new');
  await restore(readConfig({ AUTH_SECRET, DATA_DIR: place }), file);

  const server = await startEmbedded({ directory: place, log: () => {} });
  onTestFinished(() => server.stop());
  const restored = postgres(server.url, { max: 1 });
  expect([...(await restored`select email, role from users`)]).toEqual([
    { email: 'ada@example.org', role: 'rootAdmin' },
  ]);
  expect(await migrationState(restored)).toBe('current');
  await restored.end();
}, 60_000);
