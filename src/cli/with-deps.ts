import type { Config } from '../config.ts';
import { installedServer, openDatabase, type sharedServer } from '../database.ts';
import type { Database } from '../db/client.ts';
import type { Deps } from '../domain/deps.ts';
import { interruptible, unless } from './interrupt.ts';

/** A command needs few connections and leaves the rest to the service. */
const POOL_SIZE = 2;

export const toStandardError = {
  info: (message: string) => void process.stderr.write(`${message}\n`),
  error: (message: string) => void process.stderr.write(`${message}\n`),
};

/**
 * Runs `task` on the migrated database of an installation, beside a running service or without one.
 *
 * @throws PRECONDITION_FAILED where there is no installation, unless `findServer` makes one
 */
export async function withDatabase<T>(
  config: Config,
  task: (database: Database) => Promise<T>,
  findServer: typeof sharedServer = installedServer,
): Promise<T> {
  return interruptible(async (interrupted) => {
    const { database, close } = await openDatabase(await findServer(config, toStandardError), POOL_SIZE);
    try {
      return await unless(interrupted, () => task(database));
    } finally {
      await close();
    }
  });
}

/** The same for what needs more than the database, and is loaded for that alone. */
export const withDeps = <T>(
  config: Config,
  task: (deps: Deps) => Promise<T>,
  findServer?: typeof sharedServer,
): Promise<T> =>
  withDatabase(
    config,
    async (database) => {
      const { createDeps } = await import('../deps.ts');
      return task(await createDeps(config, database));
    },
    findServer,
  );
