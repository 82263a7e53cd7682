import { z } from 'zod';
import { listAuditLog } from '../domain/audit/index.ts';
import { takePage } from '../kernel/pagination.ts';
import { Id } from '../kernel/schemas.ts';
import { AuditEntry } from './schemas.ts';
import { organizationProcedure, router } from './trpc.ts';

/** Within the years that PostgreSQL and ISO 8601 write alike. */
const isKept = (text: string): boolean => {
  const year = new Date(text).getUTCFullYear();
  return year >= 1 && year <= 9999;
};
const Moment = z.iso.datetime({ offset: true }).or(z.iso.date()).refine(isKept, 'Out of range.').optional();
const dateOf = (text: string | undefined) => (text === undefined ? undefined : new Date(text));

export const auditLogRouter = router({
  all: organizationProcedure('auditLog:read')
    .meta({ summary: 'List what happened in an organization, newest first' })
    .input(
      z
        .object({
          userId: Id.optional(),
          userEmail: z.string().trim().toLowerCase().max(254).optional(),
          resourceName: z.string().max(253).optional(),
          action: z.string().max(64).meta({ example: 'create' }).optional(),
          resourceType: z.string().max(64).meta({ example: 'organization' }).optional(),
          from: Moment,
          to: Moment,
          limit: z.number().int().min(1).max(500).default(50),
          offset: z.number().int().min(0).max(10_000).default(0),
          cursor: Id.meta({ description: 'The value of x-next-cursor of the page before.' }).optional(),
        })
        .prefault({}),
    )
    .output(z.array(AuditEntry))
    .query(async ({ ctx, input: { limit, offset, cursor, from, to, ...filter } }) => {
      const page = { limit: limit + 1, offset, cursor };
      const rows = await listAuditLog(
        ctx.deps,
        ctx.actor,
        { ...filter, from: dateOf(from), to: dateOf(to) },
        page,
      );
      const { items, nextCursor } = takePage(rows, limit);
      if (nextCursor !== null) ctx.setHeader('x-next-cursor', nextCursor);
      return items;
    }),
});
