import { type ChildProcess, spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { chmod, mkdtemp } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { httpCaller } from './harness.ts';

/** The environment of this process without what would change the service's settings. */
function plainEnvironment(): NodeJS.ProcessEnv {
  const { PATH, HOME, TMPDIR } = process.env;
  return { PATH, HOME, TMPDIR };
}

/** A new directory that the database server can enter too, when it runs as another user. */
export async function temporaryDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'tenantry-'));
  await chmod(directory, 0o755);
  return directory;
}

/**
 * A port on 127.0.0.1 that nobody listens on. It is below those that systems give to outgoing connections: one of those
 * could be taken again before whoever asked for it listens, or while a service that is restarted on it is away.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(10_000, 32_768);
    const server = createServer().listen(port, '127.0.0.1');
    const isFree = await once(server, 'listening').then(
      () => true,
      (error: NodeJS.ErrnoException) => {
        if (error.code === 'EADDRINUSE') return false;
        throw error;
      },
    );
    if (!isFree) continue;
    server.close();
    await once(server, 'close');
    return port;
  }
}

export type Finished = { code: number | null; stdout: string; stderr: string };

/** Runs `tenantry` with these arguments until it ends. `meanwhile` may send it a signal. */
export async function tenantry(
  args: string[],
  environment: NodeJS.ProcessEnv,
  input = '',
  meanwhile = async (_kill: (signal: NodeJS.Signals) => void): Promise<void> => {},
): Promise<Finished> {
  const child = spawn(process.execPath, ['dist/service/tenantry.js', ...args], {
    env: { ...plainEnvironment(), ...environment },
  });
  const [stdout, stderr] = [collect(child.stdout), collect(child.stderr)];
  child.stdin.end(input);
  const [[code]] = (await Promise.all([
    once(child, 'close'),
    meanwhile((signal) => void child.kill(signal)),
  ])) as [[number | null], unknown];
  return { code, stdout: stdout.text, stderr: stderr.text };
}

function collect(stream: NodeJS.ReadableStream): { text: string } {
  const collected = { text: '' };
  stream.on('data', (chunk: Buffer) => {
    collected.text += chunk.toString();
  });
  return collected;
}

export type Service = {
  baseUrl: string;
  child: ChildProcess;
  output: { text: string };
  /** Sends a signal and resolves with the exit code (null after SIGKILL). */
  end(signal: NodeJS.Signals): Promise<number | null>;
};

/** Starts the service as `npm start` does and resolves when it is ready. */
export async function startService(environment: NodeJS.ProcessEnv): Promise<Service> {
  const port = await freePort();
  const child = spawn(process.execPath, ['dist/service/main.js'], {
    env: { ...plainEnvironment(), PORT: String(port), ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output = collect(child.stdout);
  child.stderr.on('data', (chunk: Buffer) => {
    output.text += chunk.toString();
  });
  const ended = once(child, 'close') as Promise<[number | null]>;
  await new Promise<void>((resolve, reject) => {
    child.stdout.on('data', () => {
      if (output.text.includes('Tenantry answers at')) resolve();
    });
    ended.then(() => reject(new Error(`The service did not start: ${output.text}`)));
  });
  return {
    baseUrl: `http://127.0.0.1:${port}`,
    child,
    output,
    async end(signal) {
      child.kill(signal);
      const [code] = await ended;
      return code;
    },
  };
}

/** The first account of a service that is started with these settings. */
export const ROOT = { ROOT_EMAIL: 'root@example.org', ROOT_PASSWORD: 'Correct-horse-1' };

/** Signs an account in: the headers of a session. */
export async function signIn(
  baseUrl: string,
  email: string,
  password: string,
): Promise<Record<string, string>> {
  const { status, headers, text } = await httpCaller(baseUrl, {}).post('auth/sign-in/email', {
    email,
    password,
  });
  if (status !== 200) throw new Error(`The sign-in was answered with ${status}: ${text}`);
  const cookies = headers.getSetCookie().map((cookie) => cookie.split(';')[0]);
  return { cookie: cookies.join('; ') };
}

export const signInRoot = (baseUrl: string): Promise<Record<string, string>> =>
  signIn(baseUrl, ROOT.ROOT_EMAIL, ROOT.ROOT_PASSWORD);
