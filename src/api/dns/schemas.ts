import { z } from 'zod';
import { RECORD_TYPES } from '../../kernel/dns/content.ts';
import { MAX_TTL, MIN_TTL } from '../../kernel/dns/zone-file.ts';
import { Id } from '../../kernel/schemas.ts';
import { DNS_PROVIDERS, DNS_ZONE_STATUSES } from '../../kernel/vocabulary.ts';
import { Moment } from '../schemas.ts';

export const RecordTypeName = z.enum(RECORD_TYPES);
export const Ttl = z
  .number()
  .int()
  .min(MIN_TTL)
  .max(MAX_TTL)
  .meta({ description: 'Seconds. Records of one name and type share it.' });
export const Priority = z
  .number()
  .int()
  .min(0)
  .max(65_535)
  .meta({ description: 'Of MX and SRV: instead of writing it at the beginning of the content.' });

export const DnsZone = z
  .object({
    id: Id,
    organizationId: Id,
    name: z.string().meta({ example: 'acme.example.com' }),
    provider: z.enum(DNS_PROVIDERS).meta({ description: 'custom is PowerDNS.' }),
    status: z.enum(DNS_ZONE_STATUSES).meta({
      description: 'active is served, and known to be the organization’s.',
    }),
    nameservers: z.array(z.string()).meta({ description: 'To which the domain is to be delegated.' }),
    inSync: z.boolean().meta({ description: 'Whether the provider has every change.' }),
    syncedAt: Moment.nullable(),
    lastError: z.string().nullable().meta({ description: 'Why the last attempt at the provider failed.' }),
    verifiedAt: Moment.nullable(),
    verification: z
      .object({ name: z.string(), type: z.literal('TXT'), content: z.string() })
      .nullable()
      .meta({
        description:
          'A record at the present name servers of the domain that proves whose it is, instead of a delegation.',
      }),
    dnssec: z.object({
      enabled: z.boolean(),
      ds: z.array(z.string()).meta({ description: 'For the parent zone, once it is signed.' }),
    }),
    createdAt: Moment,
    updatedAt: Moment,
  })
  .meta({ id: 'DnsZone' });

export const DnsRecord = z
  .object({
    id: Id,
    zoneId: Id,
    name: z.string().meta({ example: 'www.acme.example.com' }),
    type: RecordTypeName,
    content: z.string().meta({ description: 'As in a zone file.', example: '10 mail.acme.example.com.' }),
    ttl: z.number().int(),
    priority: z.number().int().nullable().meta({ description: 'The one in the content of MX and SRV.' }),
    createdAt: Moment,
    updatedAt: Moment,
  })
  .meta({ id: 'DnsRecord' });

export const ImportResult = z
  .object({
    added: z.number().int(),
    updated: z.number().int().meta({ description: 'Those that only got another TTL.' }),
    removed: z.number().int(),
    unchanged: z.number().int(),
    skipped: z.number().int().meta({
      description: 'Records of the file that are the provider’s: SOA, the zone’s own NS, signatures.',
    }),
    dryRun: z.boolean(),
  })
  .meta({ id: 'DnsImportResult' });

const side = z.object({ ttl: z.number().int(), contents: z.array(z.string()) }).nullable();
export const ZonePlan = z
  .object({
    compared: z.boolean().meta({
      description:
        'Whether there is a provider that was asked; without one everything is still to be created.',
    }),
    total: z.number().int(),
    changes: z
      .array(
        z.object({
          action: z.enum(['create', 'update', 'delete']),
          name: z.string(),
          type: z.string(),
          before: side,
          after: side,
        }),
      )
      .meta({ description: 'The first 1,000.' }),
  })
  .meta({ id: 'DnsZonePlan' });
