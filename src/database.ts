import type { Config } from './config.ts';
import { createDatabase } from './db/client.ts';
import { defaultDataDirectory, findRunning, startEmbedded } from './db/embedded/index.ts';
import { migrateDatabase } from './db/migrate.ts';

export type Log = { info(message: string): void; error(message: string): void };

/** Where this installation keeps what is not in the database. */
export const dataDirOf = (config: Config): string => config.dataDir ?? defaultDataDirectory(process.cwd());

/** A database server, and how to let go of it. */
export type Server = { url: string; stop(): Promise<void> };

/** PostgreSQL at DATABASE_URL, or the embedded server, started for this process alone. */
export async function ownServer(config: Config, log: Log, onLost: (reason: string) => void): Promise<Server> {
  if (config.databaseUrl !== undefined) return { url: config.databaseUrl, stop: async () => {} };
  return startEmbedded({
    directory: dataDirOf(config),
    log: (message) => log.info(message),
    onExit: onLost,
  });
}

/** The same for a command: an embedded server that the service runs is shared, not started a second time. */
export async function sharedServer(config: Config, log: Log): Promise<Server> {
  const running = config.databaseUrl === undefined ? await findRunning(dataDirOf(config)) : undefined;
  if (running !== undefined) return { url: running, stop: async () => {} };
  return ownServer(config, log, (reason) => log.error(reason));
}

/** Brings the server's database up to date and opens it. `close` lets go of the server too. */
export async function openDatabase(server: Server, poolSize: number) {
  try {
    await migrateDatabase(server.url);
  } catch (error) {
    await server.stop();
    throw error;
  }
  const { database, client, close } = createDatabase({ url: server.url, poolSize });
  return {
    database,
    client,
    async close() {
      await close();
      await server.stop();
    },
  };
}
