import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Load, Task } from './load.ts';

const ROOT = fileURLToPath(new URL('../', import.meta.url));
const START_MS = 120_000;
const POLL_MS = 20;
/** Clock ticks in a second, as /proc counts them on Linux. */
const TICKS = 100;

/** Which processor runs what. Elsewhere than on Linux, or with one processor, the system decides. */
const SERVER_CPU = '0';
const OTHER_CPU = '1';
/** Node.js begins four threads for collecting garbage wherever it runs; on one processor they are in each other's way. */
const ON_ONE_CPU = ['taskset', '-c', SERVER_CPU, process.execPath, '--v8-pool-size=1'];

export type Server = {
  url: string;
  /** Processor time used so far, in microseconds; undefined where the system does not tell. */
  cpuTime(): number | undefined;
  /** Resident memory in megabytes; undefined where the system does not tell. */
  memory(): number | undefined;
  stop(): Promise<void>;
};

function pinsProcesses(): boolean {
  if (availableParallelism() < 2) return false;
  try {
    execFileSync('taskset', ['-c', `${SERVER_CPU},${OTHER_CPU}`, 'true'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
export const isPinned = pinsProcesses();

/** Keeps this process, and what it starts from now on, off the server's processor. */
export function leaveServerCpu(): void {
  if (isPinned)
    execFileSync('taskset', ['-a', '-c', '-p', OTHER_CPU, String(process.pid)], { stdio: 'ignore' });
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('No port could be had.');
  return address.port;
}

/** Installs what better-auth needs to be measured, apart from what the service has. */
export function installBetterAuth(): void {
  if (existsSync(join(ROOT, 'bench/better-auth/node_modules'))) return;
  execFileSync('npm', ['ci', '--ignore-scripts', '--prefix', 'bench/better-auth'], {
    cwd: ROOT,
    stdio: 'inherit',
  });
}

/** Compiles the service, so that what is measured is what is installed, and as `npm start` has it. */
export function build(): void {
  const run = (...args: string[]) => execFileSync(process.execPath, args, { cwd: ROOT, stdio: 'inherit' });
  run('node_modules/typescript/bin/tsc', '-p', 'tsconfig.build.json');
  run('--import', 'tsx', 'src/build.ts');
}

/** Starts a server of this project, on the server's processor if `pinned`; resolves once it answers `GET /health`. */
export async function startServer(
  args: string[],
  env: Record<string, string>,
  { pinned }: { pinned: boolean } = { pinned: isPinned },
): Promise<Server> {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const [file = '', ...rest] = [...(pinned ? ON_ONE_CPU : [process.execPath]), ...args];
  const child = spawn(file, rest, {
    cwd: ROOT,
    env: { ...process.env, ...env, PORT: String(port) },
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  const ended = once(child, 'exit');

  async function answers(): Promise<void> {
    for (const deadline = Date.now() + START_MS; Date.now() < deadline; await wait(POLL_MS)) {
      const response = await fetch(`${url}/health`).catch(() => undefined);
      if (response?.ok === true) return;
    }
    throw new Error(`${args.join(' ')} does not answer.`);
  }
  const died = ended.then(() => {
    throw new Error(`${args.join(' ')} ended.`);
  });
  try {
    await Promise.race([answers(), died]);
  } catch (error) {
    child.kill('SIGKILL');
    throw error;
  }
  died.catch(() => {}); // from here on the requests tell

  return {
    url,
    cpuTime() {
      try {
        const stat = readFileSync(`/proc/${child.pid}/stat`, 'utf8');
        const [user = '', system = ''] = stat
          .slice(stat.lastIndexOf(')') + 2)
          .split(' ')
          .slice(11, 13);
        return ((Number(user) + Number(system)) * 1_000_000) / TICKS;
      } catch {
        return undefined;
      }
    },
    memory() {
      try {
        const status = readFileSync(`/proc/${child.pid}/status`, 'utf8');
        return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024;
      } catch {
        return undefined;
      }
    },
    async stop() {
      child.kill('SIGTERM');
      await ended;
    },
  };
}

/** Runs the load generator, which inherits the processor of this process. */
export async function generateLoad(task: Task): Promise<Load> {
  const child = spawn(process.execPath, ['--import', 'tsx', 'bench/load.ts'], {
    cwd: ROOT,
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  child.stdin.end(JSON.stringify(task));
  const output = await text(child.stdout);
  return JSON.parse(output);
}
