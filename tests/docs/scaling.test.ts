import { readFile, writeFile } from 'node:fs/promises';
import { is } from 'drizzle-orm';
import { getTableConfig, PgTable } from 'drizzle-orm/pg-core';
import { expect, test } from 'vitest';
import * as schema from '../../src/db/schema/index.ts';

const FILE = 'docs/scaling.md';
const PLACE = /(?<=<!-- tables -->\n)[\s\S]*(?=<!-- \/tables -->)/;
const KEY = 'organization_id';

const isKey = ({ name, notNull }: { name: string; notNull: boolean }) => name === KEY && notNull;

function whose({ name, columns, foreignKeys }: ReturnType<typeof getTableConfig>): string {
  if (name === 'organizations') return 'itself';
  if (columns.some(isKey)) return 'every row';
  if (columns.some((column) => column.name === KEY)) return 'some rows';
  const above = foreignKeys.map((one) => getTableConfig(one.reference().foreignTable));
  const parent = above.find((table) => table.columns.some(isKey));
  if (parent !== undefined) return `by its \`${parent.name}\``;
  return columns.some((column) => column.name === 'user_id') ? 'an account’s' : 'global';
}

/** Whose rows a table has, and which of its unique keys hold over all organizations. */
function describe(table: PgTable): string {
  const config = getTableConfig(table);
  const ofColumns = config.columns.filter((column) => column.isUnique).map(({ name }) => `\`${name}\``);
  const ofIndexes = config.indexes.flatMap(({ config: { unique, columns, where } }) => {
    const names = columns.map((column) => ('name' in column ? String(column.name) : 'an expression'));
    if (!unique || names.includes(KEY)) return [];
    return [`\`${names.join(', ')}\`${where === undefined ? '' : ' of some rows'}`];
  });
  const unique = [...ofColumns, ...ofIndexes].join('; ') || '–';
  return `| \`${config.name}\` | ${whose(config)} | ${unique} |`;
}

/** UPDATE_DOCS=1 writes the table anew. */
test('the page says of every table whose its rows are', async () => {
  const tables = Object.values(schema).filter((value) => is(value, PgTable));
  const rows = tables.map((table) => describe(table as PgTable)).sort();
  const head = ['| table | organization | unique over all organizations |', '|---|---|---|'];
  const text = [...head, ...rows, ''].join('\n');
  const page = await readFile(FILE, 'utf8');
  if (process.env.UPDATE_DOCS === '1')
    await writeFile(
      FILE,
      page.replace(PLACE, () => text),
    );
  else expect(PLACE.exec(page)?.[0]).toBe(text);
});
