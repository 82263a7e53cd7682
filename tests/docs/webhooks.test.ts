import { readFile, writeFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { describeEvents } from '../../src/kernel/webhook-events/index.ts';

const FILE = 'docs/webhooks.md';
const TABLE = /(?<=<!-- events -->\n)[\s\S]*(?=<!-- \/events -->)/;

type Side = { anyOf?: { properties?: Record<string, unknown> }[] };
/** The names of the fields on one side of a change. */
function fieldsOf(schema: Record<string, unknown>, side: 'before' | 'after'): string {
  const { properties } = schema as { properties: { data: { properties: Record<string, Side> } } };
  const fields = Object.keys(properties.data.properties[side]?.anyOf?.[0]?.properties ?? {});
  return fields.map((field) => `\`${field}\``).join(' ');
}

/** UPDATE_DOCS=1 writes the table anew. */
test('the page lists every event with its fields', async () => {
  const rows = describeEvents().map(
    ({ name, description, schema }) =>
      `| \`${name}\` | ${description} | ${fieldsOf(schema, 'before')} | ${fieldsOf(schema, 'after')} |`,
  );
  const table = ['| event | when | `before` | `after` |', '|---|---|---|---|', ...rows, ''].join('\n');
  const page = await readFile(FILE, 'utf8');
  if (process.env.UPDATE_DOCS === '1')
    await writeFile(
      FILE,
      page.replace(TABLE, () => table),
    );
  else expect(TABLE.exec(page)?.[0]).toBe(table);
});
