import { sql } from 'drizzle-orm';
import {
  boolean,
  check,
  index,
  integer,
  jsonb,
  pgTable,
  primaryKey,
  text,
  uniqueIndex,
  uuid,
} from 'drizzle-orm/pg-core';
import { RECORD_TYPES } from '../../kernel/dns/content.ts';
import { DNS_PROVIDERS } from '../../kernel/vocabulary.ts';
import { createdAt, id, moment, updatedAt } from '../columns.ts';
import { ofOrganization, ofZone } from '../policies.ts';
import { organizations } from './organizations.ts';

/** Zones with their records are the truth, which providers are brought to. */
export const dnsZones = pgTable(
  'dns_zones',
  {
    id: id(),
    organizationId: uuid('organization_id')
      .notNull()
      .references(() => organizations.id, { onDelete: 'cascade' }),
    /** In lower case and ASCII, without the dot at its end. */
    name: text().notNull().unique('dns_zones_name_unique'),
    provider: text({ enum: DNS_PROVIDERS }).notNull(),
    /** What a TXT record shows, to prove that the domain is the organization's. */
    challenge: text().notNull(),
    /** When that was proved, or the zone made inside the base domain. */
    verifiedAt: moment('verified_at'),
    /** Whether it is to be signed. */
    dnssec: boolean().notNull().default(false),
    createdAt: createdAt(),
    updatedAt: updatedAt(),
  },
  (t) => [
    index('dns_zones_organization').on(t.organizationId, t.id),
    // Names below one another are looked for by what they end in.
    index('dns_zones_name_reversed').using('btree', sql`reverse(${t.name}) text_pattern_ops`),
    ...ofOrganization(t.organizationId),
  ],
);

export const dnsRecords = pgTable(
  'dns_records',
  {
    id: id(),
    zoneId: uuid('zone_id')
      .notNull()
      .references(() => dnsZones.id, { onDelete: 'cascade' }),
    /** Relative to the zone, `@` for its own. */
    name: text().notNull(),
    type: text({ enum: RECORD_TYPES }).notNull(),
    /** In its canonical form (kernel/dns/content.ts). */
    content: text().notNull(),
    /** Seconds, the same for all records of one name and type. */
    ttl: integer().notNull(),
    createdAt: createdAt(),
    updatedAt: updatedAt(),
  },
  (t) => [
    index('dns_records_zone').on(t.zoneId, t.id),
    uniqueIndex('dns_records_unique').on(t.zoneId, t.name, t.type, sql`md5(${t.content})`),
    ...ofZone(sql`${t.zoneId}`, sql`z.id`),
    check('dns_records_ttl', sql`${t.ttl} between 60 and 86400`),
  ],
);

/**
 * What a provider has, or may have, of a name. It has no reference to the zone, and stays when the zone goes, until the
 * provider's zone is gone too: otherwise whoever gets the name next would meet what was there before.
 */
export const dnsProviderZones = pgTable(
  'dns_provider_zones',
  {
    provider: text({ enum: DNS_PROVIDERS }).notNull(),
    name: text().notNull(),
    /** The provider's own id, once it is known. */
    providerZoneId: text('provider_zone_id'),
    nameservers: jsonb().$type<string[]>().notNull().default([]),
    /** Of the signed zone, for its parent. */
    ds: jsonb().$type<string[]>().notNull().default([]),
    /** Counts the changes of the zone. */
    version: integer().notNull().default(1),
    /** The version that the provider has been brought to; 0 before the first. */
    syncedVersion: integer('synced_version').notNull().default(0),
    syncedAt: moment('synced_at'),
    /** Whether the provider was ever asked for it. */
    touched: boolean().notNull().default(false),
    /** Failed attempts since the last success. */
    failures: integer().notNull().default(0),
    nextAttemptAt: moment('next_attempt_at').notNull(),
    /** The provider wants no attempt before, whatever changes. */
    blockedUntil: moment('blocked_until'),
    /** Counts the attempts: who holds an older number than this has lost the zone to another. */
    lease: integer().notNull().default(0),
    leaseUntil: moment('lease_until'),
    lastError: text('last_error'),
  },
  (t) => [
    primaryKey({ columns: [t.provider, t.name] }),
    index('dns_provider_zones_due').on(t.provider, t.nextAttemptAt),
    ...ofZone(sql`${t.provider}, ${t.name}`, sql`z.provider, z.name`),
  ],
);
