import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, existsSync, readdirSync } from 'node:fs';
import { appendFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import postgres from 'postgres';
import { vi } from 'vitest';
import { freePort, temporaryDirectory } from './service.ts';

const INSTALLED = '/usr/lib/postgresql';
/** PostgreSQL does not run as root. */
const UNPRIVILEGED = process.geteuid?.() === 0 ? { uid: 65534, gid: 65534 } : {};

const versions = () => (existsSync(INSTALLED) ? readdirSync(INSTALLED).sort() : []);
const program = (name: string) => join(INSTALLED, versions().at(-1) ?? '', 'bin', name);

/** Why no standby can be run here; undefined when one can. */
export const missingForStandby = (): string | undefined =>
  existsSync(program('pg_basebackup')) ? undefined : `no PostgreSQL in ${INSTALLED}`;

/** A server on a directory of its own that can be stopped and started again. */
function createServer(directory: string, port: number) {
  let child: ChildProcess | undefined;
  const url = `postgres://tenantry@127.0.0.1:${port}/postgres`;
  async function start() {
    const options = ['-D', directory, '-p', String(port), '-k', '', '-h', '127.0.0.1'];
    child = spawn(program('postgres'), options, { stdio: 'ignore', ...UNPRIVILEGED });
    await vi.waitFor(
      async () => {
        const sql = postgres(url, { max: 1, connect_timeout: 2, onnotice: () => {} });
        await sql`select 1`.finally(() => sql.end({ timeout: 1 }));
      },
      { timeout: 20_000, interval: 50 },
    );
  }
  async function stop() {
    if (child === undefined) return;
    const ended = once(child, 'close');
    child.kill('SIGQUIT');
    child = undefined;
    await ended;
  }
  return { url, start, stop };
}

/** A primary, and a standby that streams from it. */
export async function startReplication() {
  const directory = await temporaryDirectory();
  if (UNPRIVILEGED.uid !== undefined) chownSync(directory, UNPRIVILEGED.uid, UNPRIVILEGED.gid);
  const run = (name: string, ...args: string[]) =>
    execFileSync(program(name), args, { stdio: 'pipe', cwd: directory, ...UNPRIVILEGED });
  const [port, standbyPort] = [await freePort(), await freePort()];
  const [data, standbyData] = [join(directory, 'primary'), join(directory, 'standby')];
  const [primary, standby] = [createServer(data, port), createServer(standbyData, standbyPort)];
  const stop = async () => {
    await Promise.all([primary.stop(), standby.stop()]);
    await rm(directory, { recursive: true, force: true });
  };
  try {
    run('initdb', '-D', data, '-U', 'tenantry', '-A', 'trust', '-E', 'UTF8', '--locale=C', '--no-sync');
    await appendFile(join(data, 'postgresql.conf'), 'max_connections = 50\n');
    await primary.start();
    const from = ['-h', '127.0.0.1', '-p', String(port), '-U', 'tenantry'];
    run('pg_basebackup', ...from, '-D', standbyData, '-R', '--checkpoint=fast', '--no-sync');
    await standby.start();
    return { primary, standby, [Symbol.asyncDispose]: stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
