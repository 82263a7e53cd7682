import type { Page } from '../kernel/pagination.ts';
import type { Context } from './context.ts';

/** The answer of a list that is a bare array, as Dokploy's are: its next cursor goes into a header. */
export async function bareList<T>(ctx: Pick<Context, 'setHeader'>, page: Promise<Page<T>>): Promise<T[]> {
  const { items, nextCursor } = await page;
  if (nextCursor !== null) ctx.setHeader('x-next-cursor', nextCursor);
  return items;
}
