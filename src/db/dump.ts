import { createReadStream, createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { getTableName, is } from 'drizzle-orm';
import { PgTable } from 'drizzle-orm/pg-core';
import type postgres from 'postgres';
import { preconditionFailed } from '../kernel/errors.ts';
import { connect } from './connect.ts';
import { liftTimeLimits, newestApplied } from './migrate.ts';
import * as schema from './schema/index.ts';

type Table = { name: string; columns: string[]; refersTo: string[] };

/**
 * The tables with their columns but those that PostgreSQL works out itself, and what has to be there before their rows:
 * deferrable foreign keys wait for the end of the transaction.
 */
const tablesOf = (sql: postgres.ISql): Promise<Table[]> => sql<Table[]>`
  select t.table_name as name,
    (select array_agg(c.column_name::text order by c.column_name) from information_schema.columns c
      where c.table_schema = 'public' and c.table_name = t.table_name and c.is_generated = 'NEVER') as columns,
    (select coalesce(array_agg(distinct r.relname::text), '{}') from pg_constraint k
      join pg_class r on r.oid = k.confrelid
      where k.contype = 'f' and not k.condeferrable and k.conrelid = to_regclass(format('public.%I', t.table_name))
        and k.confrelid <> k.conrelid) as "refersTo"
  from information_schema.tables t where t.table_schema = 'public' and t.table_type = 'BASE TABLE'
  order by t.table_name`;

/** Those first that others refer to. */
function inOrder(tables: Table[]): Table[] {
  const ordered: Table[] = [];
  for (let rest = tables; rest.length > 0; ) {
    const names = new Set(rest.map(({ name }) => name));
    const next = rest.filter(({ refersTo }) => !refersTo.some((name) => names.has(name)));
    if (next.length === 0) throw new Error(`These tables refer to one another: ${[...names].join(', ')}.`);
    ordered.push(...next);
    rest = rest.filter((table) => !next.includes(table));
  }
  return ordered;
}

const fileOf = (directory: string, { name }: Table): string => join(directory, `${name}.copy`);
const columnsOf = ({ name, columns }: Table): string =>
  `public."${name}" (${columns.map((column) => `"${column}"`).join(', ')})`;

/**
 * Copies every table into a file of `directory`, all of them as they are at one moment, while others read and write.
 * `atThatMoment` runs once the moment is fixed.
 *
 * @returns the newest migration that the database has had
 * @throws UnreachableError
 */
export async function dumpTables(
  url: string,
  directory: string,
  atThatMoment: () => Promise<void>,
): Promise<number> {
  const client = await connect(url);
  try {
    return await client.begin('isolation level repeatable read read only', async (tx) => {
      await liftTimeLimits(tx); // a large table takes its time
      const migration = await newestApplied(tx);
      await atThatMoment();
      for (const table of await tablesOf(tx)) {
        const rows = await tx.unsafe(`copy ${columnsOf(table)} to stdout`).readable();
        await pipeline(rows, createWriteStream(fileOf(directory, table), { mode: 0o600 }));
      }
      return migration;
    });
  } finally {
    await client.end({ timeout: 5 });
  }
}

const OURS = new Set<string>(
  Object.values(schema).flatMap((one) => (is(one, PgTable) ? [getTableName(one)] : [])),
);

async function requireNoRows(sql: postgres.ISql, name: string): Promise<void> {
  const [row] = await sql<{ filled: boolean }[]>`select exists (select from public.${sql(name)}) as filled`;
  if (row?.filled !== true) return;
  throw preconditionFailed(
    'database_not_empty',
    `The database has rows in ${name} already. Restore into an empty one.`,
  );
}

/**
 * Looks whether a backup may come into this database, and changes nothing.
 *
 * @param migration the newest one that the backup's tables had had
 * @throws PRECONDITION_FAILED for tables that are not ours or are newer than the backup, and for rows in those that are
 *   ours; UnreachableError
 */
export async function requireEmpty(url: string, migration: number): Promise<void> {
  const client = await connect(url);
  try {
    const applied = await newestApplied(client);
    const hasOurs = applied > 0;
    const tables = await client<{ name: string }[]>`
      select tablename as name from pg_tables where schemaname = 'public' order by 1`;
    for (const { name } of tables) {
      if (hasOurs && OURS.has(name)) await requireNoRows(client, name);
      else {
        throw preconditionFailed(
          'database_not_empty',
          `The database has a table ${name} that is not of Tenantry. Restore into an empty one.`,
        );
      }
    }
    if (applied > migration) {
      throw preconditionFailed(
        'database_newer',
        'The database has the tables of a newer version than the backup. Restore into one without tables: they are made, and brought up to date.',
      );
    }
  } finally {
    await client.end({ timeout: 5 });
  }
}

/**
 * Fills the tables of a migrated database from the files of `dumpTables`: all of them, or none. Every constraint holds
 * for what is read.
 *
 * @throws PRECONDITION_FAILED when there are rows already; UnreachableError
 */
export async function loadTables(url: string, directory: string): Promise<void> {
  const client = await connect(url);
  try {
    await client.begin(async (tx) => {
      await liftTimeLimits(tx);
      for (const table of inOrder(await tablesOf(tx))) {
        await requireNoRows(tx, table.name); // somebody may have come in between
        const target = await tx.unsafe(`copy ${columnsOf(table)} from stdin`).writable();
        await pipeline(createReadStream(fileOf(directory, table)), target);
      }
    });
  } finally {
    await client.end({ timeout: 5 });
  }
}
