import { readdirSync, readFileSync } from 'node:fs';
import postgres from 'postgres';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { newId } from '../../src/kernel/ids.ts';
import { createDatabase } from '../support/database.ts';

/* A database from before the chains keeps its trail, numbered. */

const folder = new URL('../../drizzle/', import.meta.url);
const files = readdirSync(folder)
  .filter((name) => name.endsWith('.sql'))
  .sort();
const first = files.findIndex((name) => name.endsWith('_audit_chain.sql'));

let database: Awaited<ReturnType<typeof createDatabase>>;
let sql: postgres.Sql;
beforeAll(async () => {
  database = await createDatabase('empty');
  sql = postgres(database.url, { max: 1, onnotice: () => {} });
});
afterAll(async () => {
  await sql.end();
  await database.drop();
});

async function apply(names: string[]): Promise<void> {
  for (const file of names) await sql.unsafe(readFileSync(new URL(file, folder), 'utf8'));
}

test('rows get their places in the order they were written, and the ends of their chains', async () => {
  expect(first).toBeGreaterThan(0);
  await apply(files.slice(0, first));
  const [acme, ada] = [newId(), newId()];
  for (const organizationId of [acme, null, acme, acme, null]) {
    await sql`insert into audit_log (id, organization_id, user_id, action, resource_type)
      values (${newId()}, ${organizationId}, ${ada}, 'create', 'thing')`;
  }
  await apply(files.slice(first));

  const rows = await sql`select chain_id, seq::int, seal from audit_log order by id`;
  const unsealed = (chain_id: string, seq: number) => ({ chain_id, seq, seal: '' });
  expect([...rows]).toEqual([
    unsealed(acme, 1),
    unsealed(ada, 1),
    unsealed(acme, 2),
    unsealed(acme, 3),
    unsealed(ada, 2),
  ]);
  const ends = await sql`select id, seq::int, seal from audit_chains order by id`;
  expect([...ends]).toEqual([
    { id: acme, seq: 3, seal: '' },
    { id: ada, seq: 2, seal: '' },
  ]);
  await expect(sql`delete from audit_log`).rejects.toMatchObject({ code: '23001' });
});
