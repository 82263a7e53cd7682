import { execFile } from 'node:child_process';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import postgres from 'postgres';
import type { TestProject } from 'vitest/node';
import { startEmbedded } from '../../src/db/embedded/index.ts';
import { migrateDatabase } from '../../src/db/migrate.ts';

export const TEMPLATE = 'tenantry_template';

declare module 'vitest' {
  export interface ProvidedContext {
    /** A PostgreSQL where the tests may create databases. */
    databaseUrl: string;
  }
}

/** The PostgreSQL of TEST_DATABASE_URL, or the bundled one in a directory of its own, without waiting for the disk. */
async function findServer() {
  const { TEST_DATABASE_URL: given } = process.env;
  if (given !== undefined && given !== '') return { url: given, stop: async () => {} };
  const directory = await mkdtemp(join(tmpdir(), 'tenantry-test-'));
  await chmod(directory, 0o755); // as root, the server runs as another user
  const server = await startEmbedded({
    directory,
    settings: {
      ...{ fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off', max_connections: '200' },
      shared_preload_libraries: 'pg_stat_statements',
    },
    log: () => {},
  });
  return {
    url: server.url,
    async stop() {
      await server.stop();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** What `npm start` does before it starts anything: the service and the console, from these sources. */
const build = () => promisify(execFile)(process.execPath, ['--import', 'tsx', 'src/build.ts']);

/** Migrates one database; each test file clones it, so that files run side by side without sharing rows. */
export default async function setup(project: TestProject) {
  await build();
  const { url, stop } = await findServer();
  const admin = postgres(url, { max: 1, onnotice: () => {} });
  await admin.unsafe(`drop database if exists ${TEMPLATE} with (force)`);
  await admin.unsafe(`create database ${TEMPLATE}`);
  await admin.end();
  const template = new URL(url);
  template.pathname = `/${TEMPLATE}`;
  await migrateDatabase(template.href);
  project.provide('databaseUrl', url);
  return stop;
}
