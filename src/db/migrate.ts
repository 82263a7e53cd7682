import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { drizzle } from 'drizzle-orm/postgres-js';
import { migrate } from 'drizzle-orm/postgres-js/migrator';
import postgres from 'postgres';
import { requireWall } from './wall.ts';

const FOLDER = fileURLToPath(new URL('../../drizzle', import.meta.url));

/** Any number that nothing else in this database locks. */
const ADVISORY_LOCK = 7_263_514_001;

/** The database holds migrations that this code does not know. */
export class NewerDatabaseError extends Error {}

type Journal = { entries: { when: number; tag: string }[] };

/** The newest migration of this code, by the moment at which it was made. */
export const newestKnown = (): number => {
  const journal = JSON.parse(readFileSync(`${FOLDER}/meta/_journal.json`, 'utf8')) as Journal;
  return Math.max(...journal.entries.map((entry) => entry.when));
};

/** The newest one that a database has had; 0 for none. */
export async function newestApplied(client: postgres.ISql): Promise<number> {
  const [exists] = await client`select to_regclass('drizzle.__drizzle_migrations') as name`;
  if (exists?.name === null) return 0;
  const [row] = await client`select max(created_at)::float8 as newest from drizzle.__drizzle_migrations`;
  return Number(row?.newest ?? 0);
}

/**
 * Brings the database up to date. Several processes may call it at once: they take turns.
 *
 * @throws NewerDatabaseError when a newer version has been here, WallError for a user who does not own the database;
 *   nothing is changed then.
 */
export async function migrateDatabase(url: string): Promise<void> {
  const client = postgres(url, { max: 1, connect_timeout: 10, onnotice: () => {} });
  try {
    await client`select pg_advisory_lock(${ADVISORY_LOCK})`; // let go when the connection ends
    if ((await migrationState(client)) === 'newer') {
      throw new NewerDatabaseError(
        'This database was migrated by a newer version of Tenantry. Start that version, or restore a backup.',
      );
    }
    await requireWall(client);
    await migrate(drizzle(client), { migrationsFolder: FOLDER });
  } finally {
    await client.end({ timeout: 5 });
  }
}

/** How the migrations that were applied compare with those of this code. */
export async function migrationState(client: postgres.Sql): Promise<'current' | 'behind' | 'newer'> {
  const [applied, known] = [await newestApplied(client), newestKnown()];
  return applied === known ? 'current' : applied < known ? 'behind' : 'newer';
}
