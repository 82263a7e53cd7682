import type { Sql, Transaction } from '../../db/client.ts';
import type { dnsProviderZones } from '../../db/schema/index.ts';
import { notFound } from '../../kernel/errors.ts';
import type { DnsProviderName } from '../../kernel/vocabulary.ts';
import type { ZoneRow } from '../zone-sync/index.ts';

type AtProvider = Pick<
  typeof dnsProviderZones.$inferSelect,
  'providerZoneId' | 'nameservers' | 'ds' | 'version' | 'syncedVersion' | 'syncedAt' | 'lastError'
>;
/** A zone with what is known of it at its provider. */
export type FullZone = ZoneRow & AtProvider;

/** A zone as members see it. */
export type Zone = {
  id: string;
  organizationId: string;
  name: string;
  provider: DnsProviderName;
  status: 'pending' | 'active';
  nameservers: string[];
  /** Whether the provider has every change. */
  inSync: boolean;
  syncedAt: Date | null;
  lastError: string | null;
  verifiedAt: Date | null;
  /** The record that proves, at the present name servers of the domain, whose it is. */
  verification: { name: string; type: 'TXT'; content: string } | null;
  dnssec: { enabled: boolean; ds: string[] };
  createdAt: Date;
  updatedAt: Date;
};

/** Where the challenge is looked for. */
export const challengeName = (zone: string): string => `_tenantry-challenge.${zone}`;

/** It is active once it is known to be the organization's, and served. */
export function toZone(row: FullZone): Zone {
  const { id, organizationId, name, provider, challenge, verifiedAt, dnssec, createdAt, updatedAt } = row;
  const { nameservers, ds, version, syncedVersion, syncedAt, lastError } = row;
  return {
    id,
    organizationId,
    name,
    provider,
    status: verifiedAt !== null && syncedVersion > 0 ? 'active' : 'pending',
    nameservers,
    inSync: version === syncedVersion,
    syncedAt,
    lastError,
    verifiedAt,
    verification: verifiedAt === null ? { name: challengeName(name), type: 'TXT', content: challenge } : null,
    dnssec: { enabled: dnssec, ds },
    createdAt,
    updatedAt,
  };
}

/** `select` and `from` of full zones, as `z` and `p`. */
export const fullZones = (sql: Sql) => sql`
  select z.id, z.organization_id, z.name, z.provider, z.challenge, z.verified_at, z.dnssec, z.created_at, z.updated_at,
    p.provider_zone_id, p.nameservers, p.ds, p.version, p.synced_version, p.synced_at, p.last_error
  from dns_zones z join dns_provider_zones p on p.provider = z.provider and p.name = z.name`;

/** @throws NOT_FOUND alike for a zone that does not exist and for one of another organization */
export async function requireZone(sql: Sql, organizationId: string, zoneId: string): Promise<FullZone> {
  const [row] = await sql<FullZone[]>`
    ${fullZones(sql)} where z.id = ${zoneId} and z.organization_id = ${organizationId}`;
  if (row === undefined) throw notFound('DNS zone');
  return row;
}

/** The zone for the rest of the transaction. Its organization is held already. */
export async function holdZone(tx: Transaction, organizationId: string, zoneId: string): Promise<FullZone> {
  const [row] = await tx<FullZone[]>`
    ${fullZones(tx)} where z.id = ${zoneId} and z.organization_id = ${organizationId} for no key update of z`;
  if (row === undefined) throw notFound('DNS zone');
  return row;
}

/** What the audit log says of a zone. */
export const summaryOf = ({ name, provider, dnssec }: ZoneRow) => ({ name, provider, dnssec });
