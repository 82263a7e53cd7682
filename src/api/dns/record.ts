import { z } from 'zod';
import {
  createRecord,
  DNS_RECORD_FIELDS,
  deleteRecord,
  listRecords,
  oneRecord,
  updateRecord,
} from '../../domain/dns-record/index.ts';
import { MAX_CONTENT_LENGTH } from '../../kernel/dns/content.ts';
import { pageOf } from '../../kernel/pagination.ts';
import { Id } from '../../kernel/schemas.ts';
import { ListPage } from '../schemas.ts';
import { router } from '../trpc.ts';
import { dnsProcedure, RECORD_CHANGES, ZoneRef } from './procedure.ts';
import { DnsRecord, Priority, RecordTypeName, Ttl } from './schemas.ts';

const RecordRef = ZoneRef.extend({ recordId: Id });
const Name = z.string().trim().max(1_012).meta({
  description: 'Relative to the zone, @ for its own, or absolute with a dot at its end.',
  example: 'www',
});
const Content = z.string().min(1).max(MAX_CONTENT_LENGTH).meta({
  description:
    'As in a zone file. A target without any dot lies in the zone; a text may come without quotation marks.',
  example: '192.0.2.1',
});

export const dnsRecordRouter = router({
  all: dnsProcedure('dnsRecord:read')
    .meta({ summary: 'List the records of a DNS zone' })
    .input(
      ListPage.extend({
        ...ZoneRef.shape,
        type: RecordTypeName.optional(),
        name: z
          .string()
          .trim()
          .toLowerCase()
          .max(254)
          .transform((name) => name.replace(/\.$/, ''))
          .optional()
          .meta({ description: 'The whole name.', example: 'www.acme.example.com' }),
      }),
    )
    .output(z.object({ items: z.array(DnsRecord), nextCursor: Id.nullable() }))
    .query(({ ctx, input }) => {
      const { zoneId, type = null, name = null } = input;
      return pageOf(input, (page) => listRecords(ctx.deps, ctx.actor, zoneId, { type, name, ...page }));
    }),

  one: dnsProcedure('dnsRecord:read')
    .meta({ summary: 'Read one DNS record', version: DNS_RECORD_FIELDS })
    .input(RecordRef)
    .output(DnsRecord)
    .query(({ ctx, input: { zoneId, recordId } }) => oneRecord(ctx.deps, ctx.actor, { zoneId, recordId })),

  create: dnsProcedure('dnsRecord:create')
    .meta({
      summary: 'Add a DNS record',
      description:
        'Without a ttl it takes that of its name and type, or 3600. With another one than theirs it changes theirs, and needs dnsRecord:update.',
      rateLimit: RECORD_CHANGES,
    })
    .input(
      ZoneRef.extend({
        name: Name,
        type: RecordTypeName,
        content: Content,
        ttl: Ttl.optional(),
        priority: Priority.optional(),
      }),
    )
    .output(DnsRecord)
    .mutation(({ ctx, input: { organizationId: _, zoneId, ...record } }) =>
      createRecord(ctx.deps, ctx.actor, zoneId, record),
    ),

  update: dnsProcedure('dnsRecord:update')
    .meta({
      summary: 'Change a DNS record',
      description: 'What is left out stays. Another type is another record.',
      rateLimit: RECORD_CHANGES,
      version: DNS_RECORD_FIELDS,
    })
    .input(
      RecordRef.extend({
        name: Name.optional(),
        content: Content.optional(),
        ttl: Ttl.optional(),
        priority: Priority.optional(),
      }),
    )
    .output(DnsRecord)
    .mutation(({ ctx, input: { organizationId: _, zoneId, recordId, ...changes } }) =>
      updateRecord(ctx.deps, ctx.actor, { zoneId, recordId }, changes, ctx.ifMatch),
    ),

  delete: dnsProcedure('dnsRecord:delete')
    .meta({
      summary: 'Delete a DNS record',
      description: 'The answer is what was deleted.',
      rateLimit: RECORD_CHANGES,
    })
    .input(RecordRef)
    .output(DnsRecord)
    .mutation(({ ctx, input: { zoneId, recordId } }) =>
      deleteRecord(ctx.deps, ctx.actor, { zoneId, recordId }),
    ),
});
