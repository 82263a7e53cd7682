import { readFileSync } from 'node:fs';
import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { drizzle } from 'drizzle-orm/postgres-js';
import { migrate } from 'drizzle-orm/postgres-js/migrator';
import type postgres from 'postgres';
import { connect, READ_COMMITTED } from './connect.ts';
import { requirePublic, requireUtf8 } from './suited.ts';
import { requireWall } from './wall.ts';

const FOLDER = fileURLToPath(new URL('../../drizzle', import.meta.url));

/** Any number that nothing else in this database locks. */
const ADVISORY_LOCK = 7_263_514_001;

/** The database holds migrations that this code does not know. */
export class NewerDatabaseError extends Error {}

type Journal = { entries: { when: number; tag: string }[] };

const readJournal = (): Journal => JSON.parse(readFileSync(`${FOLDER}/meta/_journal.json`, 'utf8'));

/** The newest migration of this code, by the moment at which it was made. */
const newestKnown = (): number => Math.max(...readJournal().entries.map((entry) => entry.when));

export const isKnown = (migration: number): boolean =>
  readJournal().entries.some((entry) => entry.when === migration);

/** Puts the migrations of this code into an empty directory, up to one that it knows, for `migrateDatabase`. */
export async function copyMigrations(upTo: number, directory: string): Promise<void> {
  const journal = readJournal();
  const entries = journal.entries.filter((entry) => entry.when <= upTo);
  await mkdir(join(directory, 'meta'), { recursive: true });
  await writeFile(join(directory, 'meta/_journal.json'), JSON.stringify({ ...journal, entries }));
  for (const { tag } of entries) await copyFile(join(FOLDER, `${tag}.sql`), join(directory, `${tag}.sql`));
}

/** The newest one that a database has had; 0 for none. */
export async function newestApplied(client: postgres.ISql): Promise<number> {
  const [exists] = await client`select to_regclass('drizzle.__drizzle_migrations') as name`;
  if (exists?.name === null) return 0;
  const [row] = await client`select max(created_at)::float8 as newest from drizzle.__drizzle_migrations`;
  return Number(row?.newest ?? 0);
}

/** Whether a database has had any migration: without one it is nobody's, or somebody else's. @throws UnreachableError */
export async function isMigrated(url: string): Promise<boolean> {
  const client = await connect(url);
  try {
    return (await newestApplied(client)) > 0;
  } finally {
    await client.end({ timeout: 5 });
  }
}

/** For work that takes its time, whatever the server, its role or a pooler says. Holds until the transaction ends. */
export const liftTimeLimits = (tx: postgres.TransactionSql): Promise<unknown> =>
  tx.unsafe(
    'set local statement_timeout = 0; set local lock_timeout = 0; set local idle_in_transaction_session_timeout = 0',
  );

/** drizzle on a transaction: the one that drizzle begins for itself becomes a savepoint of it. */
const drizzleWithin = (client: postgres.Sql, tx: postgres.TransactionSql) =>
  drizzle(Object.assign(tx, { begin: tx.savepoint, options: client.options }) as unknown as postgres.Sql);

/**
 * Brings the database up to date, in one transaction. Several processes may call it at once: they take turns, by a lock
 * of the transaction, since behind a pooler a session is not one's own.
 *
 * @throws NewerDatabaseError when a newer version has been here, WallError for a user who does not own the database,
 *   UnsuitedDatabaseError, UnreachableError; nothing is changed then. One of another encoding is refused to begin with only.
 */
export async function migrateDatabase(url: string, migrationsFolder = FOLDER): Promise<void> {
  const client = await connect(url);
  try {
    await client.begin(READ_COMMITTED, async (tx) => {
      await liftTimeLimits(tx);
      await tx`select pg_advisory_xact_lock(${ADVISORY_LOCK})`;
      if ((await migrationState(tx)) === 'newer') {
        throw new NewerDatabaseError(
          'This database was migrated by a newer version of Tenantry. Start that version, or restore a backup.',
        );
      }
      await requirePublic(tx);
      if ((await newestApplied(tx)) === 0) await requireUtf8(tx);
      await requireWall(tx);
      await migrate(drizzleWithin(client, tx), { migrationsFolder });
    });
  } finally {
    await client.end({ timeout: 5 });
  }
}

/** How the migrations that were applied compare with those of this code. */
export async function migrationState(client: postgres.ISql): Promise<'current' | 'behind' | 'newer'> {
  const [applied, known] = [await newestApplied(client), newestKnown()];
  return applied === known ? 'current' : applied < known ? 'behind' : 'newer';
}
