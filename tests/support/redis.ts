import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { freePort } from './service.ts';

const PROGRAM = '/usr/bin/redis-server';
/** Why these tests cannot be run here; undefined when they can. */
export const missingForRedis = (): string | undefined =>
  existsSync(PROGRAM) ? undefined : 'redis-server is not installed';

/** A real Redis on loopback that keeps nothing, and can be frozen, stopped and started again. */
export async function createRedisServer() {
  const port = await freePort();
  let child: ChildProcess | undefined;
  async function start() {
    const options = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'];
    const started = spawn(PROGRAM, options, { stdio: ['ignore', 'pipe', 'ignore'] });
    child = started;
    for await (const line of createInterface(started.stdout)) if (line.includes('Ready to accept')) break;
    started.stdout.resume();
  }
  async function stop() {
    if (child === undefined) return;
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
    child = undefined;
  }
  await start();
  return {
    url: `redis://127.0.0.1:${port}`,
    start,
    stop,
    signal: (name: 'SIGSTOP' | 'SIGCONT') => child?.kill(name),
    [Symbol.asyncDispose]: stop,
  };
}
