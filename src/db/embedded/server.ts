import { type ChildProcess, spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { ENVIRONMENT } from './binaries.ts';
import { EmbeddedServerError } from './error.ts';
import { readPostmasterFile } from './orphan.ts';
import { endProcess, type Step } from './process.ts';
import type { ServerUser } from './user.ts';

export type RunningServer = {
  port: number;
  /** settles when the process has ended, with how and its last lines */
  ended: Promise<string>;
  stop(): Promise<void>;
};

type Options = {
  postgres: string;
  cluster: string;
  user: ServerUser | undefined;
  settings: Record<string, string>;
  log: (message: string) => void;
  /** finds a port of 127.0.0.1; tests make it lose the race for one */
  pickPort?: () => Promise<number>;
};

/** How long a starting server may say nothing before it counts as stuck, in ms. A long recovery reports every 10 s. */
const SILENCE = 30_000;

const DEFAULTS: Record<string, string> = {
  shared_buffers: '64MB',
  max_connections: '50',
  TimeZone: 'UTC',
  log_timezone: 'UTC',
  lc_messages: 'C',
  log_checkpoints: 'off',
};

/** The service depends on these. Details and statements of failed queries hold people's data: never logged. */
const FIXED: Record<string, string> = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  logging_collector: 'off',
  log_destination: 'stderr',
  log_line_prefix: '%b|',
  log_error_verbosity: 'terse',
  log_min_error_statement: 'panic',
};

/** Starts the server on a free port and waits until it accepts connections. */
export async function runServer(options: Options): Promise<RunningServer> {
  const patience = Date.now() + 10_000;
  for (let lostPorts = 0; ; ) {
    const server = launch(options, await (options.pickPort ?? freePort)());
    const failure = await server.becomeReady().catch(async (error) => {
      await server.stop();
      throw error;
    });
    if (failure === undefined) return server;
    if (/could not bind|could not create any TCP/.test(failure) && ++lostPorts < 5) continue;
    // the last processes of a server that was killed take a moment to notice
    if (/pre-existing shared memory block/.test(failure) && Date.now() < patience) await sleep(100);
    else throw new EmbeddedServerError(`PostgreSQL did not start on ${options.cluster}: ${failure}`);
  }
}

type Launched = RunningServer & {
  /** resolves with undefined when ready, or with the reason why it won't be, with the process gone */
  becomeReady(): Promise<string | undefined>;
};

function launch({ postgres, cluster, user, settings, log }: Options, port: number): Launched {
  const all = { ...DEFAULTS, ...settings, ...FIXED, port: String(port) };
  const flags = Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const child = spawn(postgres, ['-D', cluster, ...flags], {
    ...user,
    cwd: '/',
    env: ENVIRONMENT,
    stdio: ['ignore', 'ignore', 'pipe'],
    // its own process group: Ctrl-C in a terminal is for the service, which drains first and then stops the server
    detached: true,
  });
  const output = readOutput(child, log);
  const ended = endOf(child, output.tail);
  const hasEnded = () => child.pid === undefined || child.exitCode !== null || child.signalCode !== null;
  const stop = async () => {
    output.stopping();
    const { pid } = child;
    if (pid === undefined || hasEnded()) return;
    const steps: Step[] = [
      { signal: 'SIGINT', patience: 15_000 },
      { signal: 'SIGQUIT', patience: 10_000 },
      { signal: 'SIGKILL', patience: 5_000 },
    ];
    await endProcess(pid, hasEnded, steps, (step) => {
      if (step.signal !== 'SIGINT')
        log(`PostgreSQL (process ${pid}) is slow to stop: sending ${step.signal}`);
    });
  };
  const becomeReady = async () => {
    while (!hasEnded()) {
      const file = await readPostmasterFile(cluster);
      if (file?.pid === child.pid && file?.isReady) {
        output.ready();
        return undefined;
      }
      if (output.silence() > SILENCE) {
        await stop();
        return `it was not ready after ${SILENCE / 1000} s. ${await ended}`;
      }
      await sleep(10);
    }
    return ended;
  };
  return { port, ended, stop, becomeReady };
}

/** Collects what the server says: notable lines for the log, and the last ones for error messages. */
function readOutput(child: ChildProcess, log: (message: string) => void) {
  const last: string[] = [];
  // until the server is ready nothing is logged: if it fails, the error tells it
  const held: string[] = [];
  let phase: 'starting' | 'ready' | 'stopping' = 'starting';
  let lastSign = Date.now();
  const lines = child.stderr ? createInterface({ input: child.stderr }) : undefined;
  lines?.on('line', (line) => {
    lastSign = Date.now();
    const [, source, level, message] = /^([a-z ]*)\|([A-Z0-9]+):\s+(.*)$/.exec(line) ?? [];
    last.push(message === undefined ? line : `${level}: ${message}`);
    if (last.length > 5) last.shift();
    if (level === undefined || !isNotable(level, source)) return;
    if (phase === 'starting') held.push(`PostgreSQL: ${level}: ${message}`);
    // every connection that is ended by a shutdown says so
    else if (phase === 'ready' || level !== 'FATAL') log(`PostgreSQL: ${level}: ${message}`);
  });
  return {
    tail: () => last.join(' / '),
    silence: () => Date.now() - lastSign,
    ready: () => {
      phase = 'ready';
      for (const line of held) log(line);
    },
    stopping: () => {
      phase = 'stopping';
    },
  };
}

function isNotable(level: string, source: string | undefined): boolean {
  // an error of a query is its caller's to report
  if (level === 'ERROR') return source !== 'client backend';
  return level === 'WARNING' || level === 'FATAL' || level === 'PANIC';
}

function endOf(child: ChildProcess, tail: () => string): Promise<string> {
  return new Promise((resolve) => {
    child.once('error', (error) => resolve(`It could not be run: ${error.message}`));
    child.once('exit', (code, signal) => {
      const how = signal ? `by ${signal}` : `with code ${code}`;
      const report = () => resolve(`The server ended ${how}. Its last lines: ${tail() || '(none)'}`);
      // wait for the last lines, but not for a straggling child process that keeps the pipe open
      const timer = setTimeout(report, 500);
      child.once('close', () => {
        clearTimeout(timer);
        report();
      });
    });
  });
}

async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve, reject) => {
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', resolve);
  });
  const address = probe.address();
  await new Promise((resolve) => probe.close(resolve));
  if (address === null || typeof address === 'string')
    throw new EmbeddedServerError('No free port on 127.0.0.1.');
  return address.port;
}
