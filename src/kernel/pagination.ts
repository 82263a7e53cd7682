export type Page<T> = { items: T[]; nextCursor: string | null };

/**
 * Cuts a page out of rows that were read with `limit + 1`: the row too many shows that there is a next page. Cursors
 * are ids, which sort by time. A list without one begins at the lowest or the highest id there can be, so that its
 * statement always has a bound that an index can use.
 */
export function takePage<T extends { id: string }>(rows: T[], limit: number): Page<T> {
  const items = rows.slice(0, limit);
  return { items, nextCursor: rows.length > limit ? (items.at(-1)?.id ?? null) : null };
}

/** A page of what `read` finds after the cursor, null on the first page. It is asked for the row too many as well. */
export const pageOf = async <T extends { id: string }>(
  { limit, cursor }: { limit: number; cursor?: string | undefined },
  read: (page: { limit: number; cursor: string | null }) => Promise<T[]>,
): Promise<Page<T>> => takePage(await read({ limit: limit + 1, cursor: cursor ?? null }), limit);
