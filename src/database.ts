import type { Config } from './config.ts';
import { createDatabase } from './db/client.ts';
import { defaultDataDirectory, findRunning, holdsCluster, startEmbedded } from './db/embedded/index.ts';
import { isMigrated, migrateDatabase } from './db/migrate.ts';
import { preconditionFailed } from './kernel/errors.ts';

export type Log = { info(message: string): void; error(message: string): void };

/** Where this installation keeps what is not in the database. */
export const dataDirOf = (config: Config): string => config.dataDir ?? defaultDataDirectory(process.cwd());

/** A database server, and how to let go of it. */
export type Server = { url: string; stop(): Promise<void> };

/** Of the embedded server: those of the pool, and some for commands beside the service. */
const connectionsFor = (poolSize: number): number => Math.max(50, poolSize + 20);

/** PostgreSQL at DATABASE_URL, or the embedded server, started for this process alone. */
export async function ownServer(config: Config, log: Log, onLost: (reason: string) => void): Promise<Server> {
  if (config.databaseUrl !== undefined) return { url: config.databaseUrl, stop: async () => {} };
  return startEmbedded({
    directory: dataDirOf(config),
    settings: { max_connections: String(connectionsFor(config.databasePoolSize)) },
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

/** The same for a command that makes no server where there is none. @throws PRECONDITION_FAILED there */
export async function existingServer(config: Config, log: Log): Promise<Server> {
  const dataDir = dataDirOf(config);
  if (config.databaseUrl !== undefined || (await holdsCluster(dataDir))) return sharedServer(config, log);
  throw preconditionFailed(
    'no_installation',
    `DATA_DIR, which is ${dataDir}, holds no installation. Set it to the directory of yours, or start the service to make one there.`,
  );
}

/** The server of an installation that is there. @throws PRECONDITION_FAILED where there is none, also with DATABASE_URL */
export async function installedServer(config: Config, log: Log): Promise<Server> {
  const server = await existingServer(config, log);
  try {
    if (await isMigrated(server.url)) return server;
    throw preconditionFailed(
      'no_installation',
      'The database holds no installation. Set DATABASE_URL or DATA_DIR to that of yours, or start the service to make one there.',
    );
  } catch (error) {
    await server.stop();
    throw error;
  }
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
