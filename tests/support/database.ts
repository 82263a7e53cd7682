import { randomUUID } from 'node:crypto';
import postgres from 'postgres';
import { inject } from 'vitest';
import { TEMPLATE } from './global-setup.ts';

/** A database of its own on the PostgreSQL of the tests. `drop` ends whatever is still connected. */
export async function createDatabase(kind: 'empty' | 'migrated') {
  const admin = postgres(inject('databaseUrl'), { max: 1, onnotice: () => {} });
  const name = `t_${randomUUID().replaceAll('-', '')}`;
  await admin.unsafe(`create database ${name} ${kind === 'migrated' ? `template ${TEMPLATE}` : ''}`);
  await admin.unsafe(`alter database ${name} set synchronous_commit = off`); // no test waits for the disk
  const url = new URL(inject('databaseUrl'));
  url.pathname = `/${name}`;
  return {
    name,
    url: url.href,
    async drop() {
      await admin.unsafe(`drop database ${name} with (force)`);
      await admin.end();
    },
  };
}
