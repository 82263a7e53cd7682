import fc from 'fast-check';
import { expect, test } from 'vitest';
import { newId } from '../../src/kernel/ids.ts';
import { type Page, pageOf, takePage } from '../../src/kernel/pagination.ts';

const rowsOf = (count: number) => Array.from({ length: count }, () => ({ id: newId() }));

test('ids sort by the order in which they were made', () => {
  const ids = rowsOf(1000).map(({ id }) => id);
  expect([...ids].sort()).toEqual(ids);
});

test('the row too many names the next page and is not on this one', () => {
  const rows = rowsOf(3);
  expect(takePage(rows, 2)).toEqual({ items: rows.slice(0, 2), nextCursor: rows[1]?.id });
  expect(takePage(rows, 3)).toEqual({ items: rows, nextCursor: null });
  expect(takePage([], 3)).toEqual({ items: [], nextCursor: null });
});

test('walking page by page meets every row once, in order', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 0, max: 40 }),
      fc.integer({ min: 1, max: 12 }),
      async (count, limit) => {
        const rows = rowsOf(count);
        const seen: { id: string }[] = [];
        let cursor: string | undefined;
        do {
          const page: Page<{ id: string }> = await pageOf({ limit, cursor }, async (asked) =>
            rows.filter(({ id }) => asked.cursor === null || id > asked.cursor).slice(0, asked.limit),
          );
          expect(page.items.length).toBeLessThanOrEqual(limit);
          seen.push(...page.items);
          cursor = page.nextCursor ?? undefined;
        } while (cursor !== undefined);
        expect(seen).toEqual(rows);
      },
    ),
  );
});
