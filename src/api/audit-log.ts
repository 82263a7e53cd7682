import { z } from 'zod';
import { AUDIT_FAULTS, exportAuditLog, listAuditLog, verifyChain } from '../domain/audit/index.ts';
import { pageOf } from '../kernel/pagination.ts';
import { Id } from '../kernel/schemas.ts';
import { bareList } from './bare-lists.ts';
import { Lines, linesOf, linesOutput } from './lines.ts';
import { AuditEntry, isStorable, Long } from './schemas.ts';
import { organizationProcedure, router } from './trpc.ts';

const Moment = z
  .union(
    [z.iso.datetime({ offset: true }), z.iso.date()],
    'Write a day as YYYY-MM-DD, or a moment as YYYY-MM-DDTHH:MM:SSZ.',
  )
  .refine(isStorable, 'Out of range.');
const DAY_MS = 86_400_000;
const isDay = (text: string) => !text.includes('T');
const dateOf = (text: string | undefined) => (text === undefined ? undefined : new Date(text));
/** The last moment that is meant: of a day its end. */
const endOf = (text: string | undefined) =>
  text !== undefined && isDay(text) ? new Date(Date.parse(text) + DAY_MS - 1) : dateOf(text);

const Filter = z.object({
  userId: Id.optional(),
  userEmail: z.string().trim().toLowerCase().max(254).optional(),
  resourceName: z.string().max(253).optional(),
  action: z.string().max(64).meta({ example: 'create' }).optional(),
  resourceType: z.string().max(64).meta({ example: 'organization' }).optional(),
  from: Moment.meta({ description: 'A moment, or a day from its beginning in UTC on.' }).optional(),
  to: Moment.meta({ description: 'A moment, or a day up to its end in UTC; it counts too.' }).optional(),
});

const withDates = ({ from, to, ...filter }: z.infer<typeof Filter>) => ({
  ...filter,
  from: dateOf(from),
  to: endOf(to),
});

const AuditVerdict = z
  .object({
    valid: z.boolean(),
    rows: Long.meta({ description: 'Rows that were found in order.' }),
    unchained: Long.meta({
      description: 'Of these, rows without a seal, for which nothing vouches.',
    }),
    firstBadSeq: Long.nullable(),
    reason: z.enum(AUDIT_FAULTS).nullable().meta({
      description:
        'changed: the row is not what was written at its place. missing: there is none. inserted: a row where the chain has no place. head_mismatch: the rows do not lead to the end that is kept apart from them. unsealed: nothing else is wrong, but the first rows have no seal. They are from before there were chains, or were written by who lacks the secret.',
    }),
    head: z.object({ seq: Long, seal: z.string() }).meta({
      description:
        'The newest row. Kept elsewhere, it shows later whether rows and their end were cut off together.',
    }),
  })
  .meta({ id: 'AuditVerdict' });

export const auditLogRouter = router({
  all: organizationProcedure('auditLog:read')
    .meta({ summary: 'List what happened in an organization, newest first' })
    .input(
      Filter.extend({
        limit: z.number().int().min(1).max(500).default(50),
        offset: z.number().int().min(0).max(10_000).default(0).meta({
          description: 'Rows to skip. Ignored where cursor is given, which says where the page begins.',
        }),
        cursor: Id.meta({ description: 'The value of x-next-cursor of the page before.' }).optional(),
      }).prefault({}),
    )
    .output(z.array(AuditEntry))
    .query(({ ctx, input: { limit, offset, cursor, ...filter } }) =>
      bareList(
        ctx,
        pageOf({ limit, cursor }, (page) =>
          listAuditLog(ctx.deps, ctx.actor, withDates(filter), { offset, ...page }),
        ),
      ),
    ),

  export: organizationProcedure('auditLog:read')
    .meta({
      summary: 'Download what happened in an organization, oldest first',
      description:
        'Lines of JSON, sent while they are read from the database: one AuditEntry each, and as the last `{"end":true,"rows":…}`. An answer without that last line broke off. Rows that are written meanwhile are not in it. Over plain HTTP only.',
      lines: true,
      rateLimit: { name: 'auditLog.export', points: 6, seconds: 60 },
    })
    .input(Filter.prefault({}))
    .output(linesOutput('One AuditEntry to a line; the last line is {"end":true,"rows":…}.'))
    .query(
      ({ ctx, input }) =>
        new Lines(linesOf(exportAuditLog(ctx.deps, ctx.actor, withDates(input)), AuditEntry)),
    ),

  verify: organizationProcedure('auditLog:read')
    .meta({
      summary: 'Check that no row of an organization was changed, removed or inserted in the database',
      description:
        'Every row carries an HMAC of itself and of the row before it, under the server’s secret. The rows up to now are checked, until the first that is wrong. A chain with rows that have no seal, as those from before there were chains, is not valid. For trails of more than some hundred thousand rows there is `tenantry audit verify`, which has no time limit, and takes the word of the operator for rows without a seal.',
      rateLimit: { name: 'auditLog.verify', points: 6, seconds: 60 },
    })
    .output(AuditVerdict)
    .query(({ ctx }) => verifyChain(ctx.deps, ctx.actor.organizationId)),
});
