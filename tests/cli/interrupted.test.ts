import { once } from 'node:events';
import { access, mkdir, readdir, rm } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { hold } from '../http/held.ts';
import { createDatabase } from '../support/database.ts';
import { freePort, temporaryDirectory, tenantry } from '../support/service.ts';

const SOON = { timeout: 25_000, interval: 10 };

let directory: string;
beforeEach(async () => {
  directory = await temporaryDirectory();
  return () => rm(directory, { recursive: true, force: true });
});

/** PostgreSQL says with this file that it runs on the data directory. */
const postmaster = () => join(directory, 'postgres/postmaster.pid');
const expectNoServer = async () =>
  expect((await readdir(directory)).concat(await readdir(join(directory, 'postgres')))).not.toEqual(
    expect.arrayContaining([expect.stringMatching(/^postmaster\.pid$|^tenantry\.lock$/)]),
  );

/** Sends the signal as soon as PostgreSQL has been started. */
const whenStarted = (signal: NodeJS.Signals) => async (kill: (signal: NodeJS.Signals) => void) => {
  await vi.waitFor(() => access(postmaster()), SOON);
  kill(signal);
};

describe('the embedded database ends with', () => {
  test('a service that is stopped while it starts', { timeout: 60_000 }, async () => {
    const environment = { DATA_DIR: directory, PORT: String(await freePort()) };
    const { code } = await tenantry(['serve'], environment, '', whenStarted('SIGTERM'));
    expect(code).toBe(0);
    await expectNoServer();
  });

  test('a service that cannot listen', { timeout: 60_000 }, async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    onTestFinished(() => void taken.close());
    const { port } = taken.address() as AddressInfo;
    const { code, stderr } = await tenantry(['serve'], { DATA_DIR: directory, PORT: String(port) });
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringMatching(/^listen EADDRINUSE.*\n$/) });
    await expectNoServer();
    const nowhere = await tenantry(['serve'], { DATA_DIR: directory, HOST: 'nowhere.invalid' });
    expect(nowhere).toMatchObject({ code: 1, stderr: expect.stringMatching(/^(getaddrinfo|listen) .*\n$/) });
    await expectNoServer();
  });

  test('a command that is interrupted', { timeout: 60_000 }, async () => {
    await tenantry(['migrate'], { DATA_DIR: directory }, '', whenStarted('SIGINT'));
    await expectNoServer();
  });
});

test('an interrupted backup leaves nothing behind', async () => {
  const database = await createDatabase('migrated');
  onTestFinished(database.drop);
  const held = await hold(database.url, 'lock table users');
  onTestFinished(held.release);
  const aside = join(directory, 'aside');
  await mkdir(aside);
  const environment = {
    ...{ DATABASE_URL: database.url, DATA_DIR: directory, TMPDIR: aside },
    AUTH_SECRET: 'a-secret-for-tests-that-is-long-enough',
  };
  const file = join(aside, 'backup.tar.gz');
  const finished = await tenantry(['backup', file], environment, '', async (kill) => {
    await held.waiters(1);
    kill('SIGINT');
  });
  expect(finished).toMatchObject({ code: 1, stderr: 'Stopped by SIGINT.\n' });
  expect(await readdir(aside)).toEqual([]);
});
