import { readFile } from 'node:fs/promises';

/** The block of a page in docs/ that comes after the line `\`name\`:`, as it would be copied from there. */
export async function blockOf(page: string, name: string): Promise<string> {
  const text = await readFile(`docs/${page}`, 'utf8');
  const [, after = ''] = text.split(`\`${name}\`:\n`);
  const block = /^\n```\w*\n([\s\S]*?\n)```/.exec(after)?.[1];
  if (block === undefined) throw new Error(`docs/${page} has no block ${name}.`);
  return block;
}

/** The same with other values: each must be there. */
export function withValues(block: string, values: Record<string, string>): string {
  let changed = block;
  for (const [written, value] of Object.entries(values)) {
    if (!changed.includes(written)) throw new Error(`The block does not say ${written}.`);
    changed = changed.replaceAll(written, value);
  }
  return changed;
}
