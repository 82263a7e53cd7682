import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { EmbeddedServerError, hasCode } from './error.ts';
import { endProcess, isPostmaster } from './process.ts';

export type PostmasterFile = { pid: number; port: number; isReady: boolean };

/** Reads `postmaster.pid`, with which a server says who it is and how far it has got. */
export async function readPostmasterFile(cluster: string): Promise<PostmasterFile | undefined> {
  try {
    // pid, data directory, start time, port, socket directory, address, shared memory, status
    const lines = (await readFile(join(cluster, 'postmaster.pid'), 'utf8')).split('\n');
    const pid = Number.parseInt(lines[0] ?? '', 10);
    const port = Number.parseInt(lines[3] ?? '', 10);
    return Number.isNaN(pid) ? undefined : { pid, port, isReady: lines[7]?.trim() === 'ready' };
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined;
    throw error;
  }
}

/** Stops a server of this cluster that outlived its service. The caller holds the lock, so it is nobody's. */
export async function stopOrphan(cluster: string, log: (message: string) => void): Promise<void> {
  const pid = (await readPostmasterFile(cluster))?.pid;
  if (pid === undefined) return;
  if (!(await isPostmaster(pid, cluster))) {
    // PostgreSQL sees by itself that the pid is nobody's, but not that it is something else's by now
    if (isTaken(pid)) await rm(join(cluster, 'postmaster.pid'), { force: true });
    return;
  }
  log(`Stopping the PostgreSQL server (process ${pid}) that an earlier process left running`);
  const hasGone = async () => !(await isPostmaster(pid, cluster));
  const ended = await endProcess(
    pid,
    hasGone,
    [
      { signal: 'SIGINT', patience: 20_000 },
      { signal: 'SIGQUIT', patience: 10_000 },
    ],
    (step) => {
      if (step.signal === 'SIGQUIT')
        log(`PostgreSQL (process ${pid}) did not stop within 20 s: stopping it at once`);
    },
  );
  if (ended) return;
  throw new EmbeddedServerError(
    `A PostgreSQL server (process ${pid}) already runs on ${cluster} and does not stop. End that process, then start again.`,
  );
}

function isTaken(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    // EPERM: it is another user's, which PostgreSQL takes for what it is, not its own
    if (hasCode(error, 'ESRCH', 'EPERM')) return false;
    throw error;
  }
}
