import { copyFile, mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Config } from '../config.ts';
import { dataDirOf, ownServer } from '../database.ts';
import { loadTables, requireEmpty } from '../db/dump.ts';
import { exists } from '../db/embedded/files.ts';
import { copyMigrations, isKnown, migrateDatabase } from '../db/migrate.ts';
import { preconditionFailed } from '../kernel/errors.ts';
import { secretHashOf } from '../secret.ts';
import { type Facts, unpack, withDirectory } from './archive.ts';
import { copyFiles, DIRECTORIES } from './backup.ts';
import { interruptible, unless } from './interrupt.ts';
import { toStandardError } from './with-deps.ts';

const refuse = (reason: string, message: string) =>
  preconditionFailed(reason, `${message} Nothing was changed.`);

function requireVersion({ version, migration }: Facts): void {
  if (isKnown(migration)) return;
  throw refuse(
    'other_version',
    `The backup was made by Tenantry ${version}, whose tables this version does not know. Restore it with that version.`,
  );
}

/** What was sealed and encrypted can be read with one secret alone: the backup's own, or AUTH_SECRET. */
async function requireSecret(config: Config, directory: string, { secretHash }: Facts): Promise<void> {
  const file = join(directory, 'secret');
  const secret = config.secret ?? ((await exists(file)) ? (await readFile(file, 'utf8')).trim() : undefined);
  if (secret !== undefined && secretHashOf(secret) === secretHash) return;
  throw refuse('other_secret', 'The backup needs the AUTH_SECRET with which it was made.');
}

async function requireNothingAt(paths: string[]): Promise<void> {
  for (const path of paths) {
    if (!(await exists(path))) continue;
    throw refuse('data_exists', `${path} is there already. Restore into an empty DATA_DIR.`);
  }
}

/**
 * Makes an installation out of a backup: into an empty data directory, or into it and an empty database at DATABASE_URL.
 * The rows come last and all at once, so that no installation is there before all of it is. They come into the tables of
 * the version that made the backup, which are then brought up to date.
 *
 * @throws PRECONDITION_FAILED for a backup that is broken or of a newer version, and where there is anything already
 */
export const restore = (config: Config, file: string): Promise<string> =>
  interruptible((interrupted) => readBackup(config, file, interrupted));

function readBackup(config: Config, file: string, interrupted: AbortSignal): Promise<string> {
  const dataDir = dataDirOf(config);
  return withDirectory(async (directory) => {
    const facts = await unless(interrupted, () => unpack(file, directory));
    requireVersion(facts);
    await requireSecret(config, directory, facts);
    const secret = config.secret === undefined ? ['secret'] : [];
    const cluster = config.databaseUrl === undefined ? ['postgres', 'postgres.password'] : [];
    const made = [...DIRECTORIES, ...secret, ...cluster].map((name) => join(dataDir, name));
    await requireNothingAt(made);
    try {
      const server = await ownServer(config, toStandardError, (reason) => toStandardError.error(reason));
      try {
        await requireEmpty(server.url, facts.migration);
        const migrations = join(directory, 'migrations');
        await copyMigrations(facts.migration, migrations);
        await migrateDatabase(server.url, migrations);
        await mkdir(dataDir, { recursive: true });
        for (const name of DIRECTORIES) await copyFiles(join(directory, name), join(dataDir, name));
        for (const name of secret) await copyFile(join(directory, name), join(dataDir, name));
        interrupted.throwIfAborted(); // from here on it goes to its end
        await loadTables(server.url, join(directory, 'tables'));
        await migrateDatabase(server.url);
      } finally {
        await server.stop();
      }
    } catch (error) {
      for (const path of made) await rm(path, { recursive: true, force: true });
      throw error;
    }
    return `Everything is as it was at ${facts.createdAt}.`;
  });
}
