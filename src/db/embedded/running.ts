import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { NAME } from './cluster.ts';
import { exists } from './files.ts';
import { readPostmasterFile } from './orphan.ts';
import { isPostmaster } from './process.ts';

/** Whether there is a database in `directory`, running or not. */
export const holdsCluster = (directory: string): Promise<boolean> =>
  exists(join(directory, 'postgres', 'PG_VERSION'));

/** The address of the server that another process runs on `directory`; undefined when none does. */
export async function findRunning(directory: string): Promise<string | undefined> {
  const cluster = join(directory, 'postgres');
  if (!(await exists(join(cluster, 'postmaster.pid')))) return undefined;
  const found = await readPostmasterFile(cluster);
  if (found === undefined || !found.isReady || !(await isPostmaster(found.pid, cluster))) return undefined;
  const password = (await readFile(join(directory, 'postgres.password'), 'utf8')).trim();
  return `postgres://${NAME}:${password}@127.0.0.1:${found.port}/${NAME}`;
}
