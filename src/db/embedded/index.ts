import { access, constants, realpath } from 'node:fs/promises';
import { isAbsolute, join, resolve } from 'node:path';
import postgres from 'postgres';
import { findBinaries } from './binaries.ts';
import { NAME, prepareCluster } from './cluster.ts';
import { EmbeddedServerError, explain } from './error.ts';
import { makeDirectory } from './files.ts';
import { acquireLock } from './lock.ts';
import { stopOrphan } from './orphan.ts';
import { type RunningServer, runServer } from './server.ts';
import { findServerUser, requirePassage } from './user.ts';

export { EmbeddedServerError } from './error.ts';
export { findRunning, holdsCluster } from './running.ts';
export { defaultDataDirectory } from './user.ts';

export type EmbeddedServer = {
  /** postgres://tenantry:…@127.0.0.1:<port>/tenantry; another port at every start */
  readonly url: string;
  /** Stops the server cleanly (fast shutdown, 15 s, then less so). Resolves when its process has gone; idempotent. */
  stop(): Promise<void>;
};

export type EmbeddedOptions = {
  /** absolute path below which everything is kept; created when missing */
  directory: string;
  /** extra server settings, such as { fsync: 'off' } for tests */
  settings?: Record<string, string>;
  /** gets notable lines: the server's warnings and worse (not of failed queries), and what was repaired */
  log: (message: string) => void;
  /** called when the server process ends without stop() having been called */
  onExit?: (reason: string) => void;
};

/**
 * Starts the bundled PostgreSQL on `directory`, for this process alone, and resolves when it accepts connections.
 * The first start creates the cluster. A server that a killed process left running is stopped first. When this
 * fails, nothing is left running.
 * @throws EmbeddedServerError for whatever an operator can do something about
 */
export async function startEmbedded(options: EmbeddedOptions): Promise<EmbeddedServer> {
  try {
    return await start(options);
  } catch (error) {
    throw explain(error, options.directory);
  }
}

async function start({
  directory: given,
  settings = {},
  log,
  onExit,
}: EmbeddedOptions): Promise<EmbeddedServer> {
  if (!isAbsolute(given)) throw new EmbeddedServerError(`DATA_DIR must be an absolute path, not '${given}'.`);
  const user = findServerUser(join(given, 'postgres'));
  if (user) requirePassage(given, user);
  const binaries = await findBinaries(user, log);
  await makeDirectory(resolve(given));
  // the name by which the running server is recognised later
  const directory = await realpath(given);
  const cluster = join(directory, 'postgres');
  await access(directory, constants.R_OK | constants.W_OK | constants.X_OK);
  const release = await acquireLock(directory);
  let server: RunningServer | undefined;
  try {
    const password = await prepareCluster({ directory, cluster, binaries, user });
    await stopOrphan(cluster, log);
    server = await runServer({ postgres: binaries.postgres, cluster, user, settings, log });
    const address = `postgres://${NAME}:${password}@127.0.0.1:${server.port}`;
    await createDatabase(`${address}/postgres`, directory);
    return { url: `${address}/${NAME}`, stop: supervise(server, release, onExit) };
  } catch (error) {
    await server?.stop();
    await release();
    throw error;
  }
}

/** Reports the server's unexpected end. Returns what ends it as expected. */
function supervise(server: RunningServer, release: () => Promise<void>, onExit?: (reason: string) => void) {
  let stopped: Promise<void> | undefined;
  server.ended.then((reason) => {
    if (!stopped) onExit?.(reason);
  });
  return () => {
    stopped ??= server.stop().then(release);
    return stopped;
  };
}

async function createDatabase(url: string, directory: string): Promise<void> {
  const sql = postgres(url, {
    max: 1,
    ssl: false,
    fetch_types: false,
    connect_timeout: 10,
    onnotice: () => {},
  });
  try {
    const found = await sql`select from pg_database where datname = ${NAME}`;
    if (found.length === 0) await sql`create database ${sql(NAME)}`;
  } catch (cause) {
    const file = join(directory, 'postgres.password');
    const message =
      cause instanceof postgres.PostgresError && cause.code === '28P01'
        ? `The password in ${file} is not the one of the database beside it. Restore that file from a backup.`
        : `PostgreSQL started on ${directory} but does not work: ${cause instanceof Error ? cause.message : cause}.`;
    throw new EmbeddedServerError(message, { cause });
  } finally {
    // without a limit this never resolves when the server dies during a query
    await sql.end({ timeout: 1 });
  }
}
