import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { expect, onTestFinished, test } from 'vitest';
import { createDatabase } from '../support/database.ts';
import { times } from '../support/harness.ts';
import { freePort, temporaryDirectory } from '../support/service.ts';

/** `npm start`, until it says that it answers; it is stopped with the test. Returns its address. */
async function npmStart(databaseUrl: string, directory: string) {
  const port = await freePort();
  const child = spawn('npm', ['start'], {
    env: {
      ...{ PATH: process.env.PATH, HOME: process.env.HOME, PORT: String(port) },
      ...{
        DATABASE_URL: databaseUrl,
        DATA_DIR: directory,
        AUTH_SECRET: 'a-secret-for-tests-that-is-long-enough',
      },
    },
    stdio: ['ignore', 'pipe', 'inherit'],
    detached: true, // the signal goes to all of it, as from a terminal
  });
  onTestFinished(async () => {
    const closed = once(child, 'close'); // when the service too has let go of its output
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGINT');
    await closed;
  });
  for await (const line of createInterface(child.stdout)) {
    if (line.includes('Tenantry answers at')) break;
  }
  child.stdout.resume();
  return `http://127.0.0.1:${port}`;
}

test('npm start, by two at once in one checkout, serves the console, the reference and the API', async () => {
  const database = await createDatabase('empty');
  const directories = await Promise.all(times(2, temporaryDirectory));
  onTestFinished(async () => {
    await database.drop();
    for (const directory of directories) await rm(directory, { recursive: true, force: true });
  });
  const urls = await Promise.all(directories.map((directory) => npmStart(database.url, directory)));
  for (const url of urls) {
    for (const path of ['/', '/docs', '/docs/scalar.js', '/api/openapi.json', '/ready']) {
      expect([path, (await fetch(`${url}${path}`)).status]).toEqual([path, 200]);
    }
  }
}, 120_000);
