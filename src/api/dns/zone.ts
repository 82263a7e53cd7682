import { z } from 'zod';
import {
  createZone,
  deleteZone,
  exportZone,
  importZone,
  listZones,
  oneZone,
  planZone,
  setDnssec,
  verifyZone,
} from '../../domain/dns-zone/index.ts';
import { pageOf } from '../../kernel/pagination.ts';
import { Id } from '../../kernel/schemas.ts';
import { DNS_PROVIDERS } from '../../kernel/vocabulary.ts';
import { ListPage } from '../schemas.ts';
import { router } from '../trpc.ts';
import { dnsProcedure, EXPORTS, PLANS, ZONE_CHANGES, ZoneRef } from './procedure.ts';
import { DnsZone, ImportResult, ZonePlan } from './schemas.ts';

const MAX_ZONE_FILE = 1_000_000;

export const dnsZoneRouter = router({
  all: dnsProcedure('dnsZone:read')
    .meta({ summary: 'List the DNS zones of an organization' })
    .input(ListPage.prefault({}))
    .output(z.object({ items: z.array(DnsZone), nextCursor: Id.nullable() }))
    .query(({ ctx, input }) => pageOf(input, (page) => listZones(ctx.deps, ctx.actor, page))),

  one: dnsProcedure('dnsZone:read')
    .meta({ summary: 'Read one DNS zone' })
    .input(ZoneRef)
    .output(DnsZone)
    .query(({ ctx, input }) => oneZone(ctx.deps, ctx.actor, input.zoneId)),

  create: dnsProcedure('dnsZone:create')
    .meta({
      summary: 'Add a DNS zone',
      description:
        'An organization has one of its handle from the start, and at most 100. Outside the base domain it becomes active once its delegation, or the TXT record in verification, is seen: see dnsZone.verify. A name above or below one of another organization is refused.',
      rateLimit: ZONE_CHANGES,
    })
    .input(
      z.object({
        name: z.string().trim().min(1).max(1_012).meta({ example: 'example.com' }),
        provider: z
          .enum(DNS_PROVIDERS)
          .optional()
          .meta({ description: 'Where several are configured; the operator’s choice when left out.' }),
      }),
    )
    .output(DnsZone)
    .mutation(({ ctx, input: { name, provider } }) => createZone(ctx.deps, ctx.actor, { name, provider })),

  delete: dnsProcedure('dnsZone:delete')
    .meta({
      summary: 'Delete a DNS zone',
      description: 'With all its records. Its provider gives it up at once. The answer is what was deleted.',
      rateLimit: ZONE_CHANGES,
    })
    .input(ZoneRef)
    .output(DnsZone)
    .mutation(({ ctx, input }) => deleteZone(ctx.deps, ctx.actor, input.zoneId)),

  verify: dnsProcedure('dnsZone:update')
    .meta({
      summary: 'Look whether a domain is delegated or shows the challenge',
      description: 'Has the provider brought to the zone now, besides, instead of at the next attempt.',
      rateLimit: ZONE_CHANGES,
    })
    .input(ZoneRef)
    .output(DnsZone)
    .mutation(({ ctx, input }) => verifyZone(ctx.deps, ctx.actor, input.zoneId)),

  dnssec: dnsProcedure('dnsZone:update')
    .meta({
      summary: 'Have a DNS zone signed, or not',
      description:
        'The DS records for the parent zone appear in dnsZone.one. Take them out there, and wait, before you switch it off.',
      rateLimit: ZONE_CHANGES,
    })
    .input(ZoneRef.extend({ enabled: z.boolean() }))
    .output(DnsZone)
    .mutation(({ ctx, input }) => setDnssec(ctx.deps, ctx.actor, input.zoneId, input.enabled)),

  export: dnsProcedure('dnsRecord:read')
    .meta({ summary: 'Read a DNS zone as a BIND file', rateLimit: EXPORTS })
    .input(ZoneRef)
    .output(z.object({ name: z.string(), zoneFile: z.string() }))
    .query(({ ctx, input }) => exportZone(ctx.deps, ctx.actor, input.zoneId)),

  import: dnsProcedure('dnsRecord:create')
    .meta({
      summary: 'Take records in from a BIND file',
      description:
        'All of it or nothing. merge adds to what is there; replace also takes away what the file does not have, and needs dnsRecord:delete. A zone has at most 20,000 records, and 4,000,000 octets of contents.',
      rateLimit: ZONE_CHANGES,
    })
    .input(
      ZoneRef.extend({
        zoneFile: z.string().max(MAX_ZONE_FILE),
        mode: z.enum(['merge', 'replace']).default('merge'),
        dryRun: z.boolean().default(false).meta({ description: 'Only count what would change.' }),
      }),
    )
    .output(ImportResult)
    .mutation(({ ctx, input: { zoneId, zoneFile, mode, dryRun } }) =>
      importZone(ctx.deps, ctx.actor, zoneId, { zoneFile, mode, dryRun }),
    ),

  plan: dnsProcedure('dnsZone:read')
    .meta({
      summary: 'Compare a DNS zone with its provider',
      description: 'What the provider would be told now, without telling it.',
      rateLimit: PLANS,
    })
    .input(ZoneRef)
    .output(ZonePlan)
    .query(({ ctx, input }) => planZone(ctx.deps, ctx.actor, input.zoneId)),
});
