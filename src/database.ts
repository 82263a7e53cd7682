import type { Config } from './config.ts';
import { createDatabase } from './db/client.ts';
import { defaultDataDirectory, startEmbedded } from './db/embedded/index.ts';
import { migrateDatabase } from './db/migrate.ts';

export type Log = { info(message: string): void; error(message: string): void };

/** Where this installation keeps what is not in the database. */
export const dataDirOf = (config: Config): string => config.dataDir ?? defaultDataDirectory(process.cwd());

/**
 * The database that the settings name, migrated: PostgreSQL at DATABASE_URL, or the embedded server, which ends with
 * `close`. `onLost` is called when the embedded server ends by itself.
 */
export async function openDatabase(config: Config, log: Log, onLost: (reason: string) => void) {
  const embedded =
    config.databaseUrl === undefined
      ? await startEmbedded({
          directory: dataDirOf(config),
          log: (message) => log.info(message),
          onExit: onLost,
        })
      : undefined;
  const url = config.databaseUrl ?? embedded?.url ?? '';
  try {
    await migrateDatabase(url);
  } catch (error) {
    await embedded?.stop();
    throw error;
  }
  const { database, client, close } = createDatabase({ url, poolSize: config.databasePoolSize });
  return {
    database,
    client,
    async close() {
      await close();
      await embedded?.stop();
    },
  };
}
