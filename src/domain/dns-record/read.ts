import { NIL } from 'uuid';
import type { RecordType } from '../../kernel/dns/content.ts';
import { notFound } from '../../kernel/errors.ts';
import type { Deps } from '../deps.ts';
import type { OrganizationActor } from '../principal.ts';
import { type DnsRecord, type RecordRow, toRecord } from './row.ts';

type Found = { [K in keyof RecordRow]: RecordRow[K] | null } & { zone: string };
const isRecord = (row: Found): row is RecordRow & { zone: string } => row.id !== null;
const shown = ({ zone, ...row }: RecordRow & { zone: string }): DnsRecord => toRecord(row, zone);

export type RecordFilter = {
  type: RecordType | null;
  /** Absolute, without the dot at its end. */
  name: string | null;
  limit: number;
  cursor: string | null;
};

/** The records of a zone, oldest first. @throws NOT_FOUND for the zone */
export async function listRecords(
  deps: Deps,
  { organizationId }: OrganizationActor,
  zoneId: string,
  { type, name, limit, cursor }: RecordFilter,
): Promise<DnsRecord[]> {
  const rows = await deps.db.query(
    (sql) => sql<Found[]>`
      select z.name as zone, r.*
      from dns_zones z left join lateral (
        select id, zone_id, name, type, content, ttl, created_at, updated_at from dns_records
        where zone_id = z.id
          and id > ${cursor ?? NIL}
          and (${type}::text is null or type = ${type})
          and (${name}::text is null or case name when '@' then z.name else name || '.' || z.name end = ${name})
        order by id limit ${limit}) r on true
      where z.id = ${zoneId} and z.organization_id = ${organizationId}
      order by r.id`,
  );
  if (rows.length === 0) throw notFound('DNS zone');
  return rows.filter(isRecord).map(shown);
}

/** @throws NOT_FOUND for the zone, and for the record */
export async function oneRecord(
  deps: Deps,
  { organizationId }: OrganizationActor,
  { zoneId, recordId }: { zoneId: string; recordId: string },
): Promise<DnsRecord> {
  const [row] = await deps.db.query(
    (sql) => sql<Found[]>`
      select z.name as zone, r.id, r.zone_id, r.name, r.type, r.content, r.ttl, r.created_at, r.updated_at
      from dns_zones z left join dns_records r on r.zone_id = z.id and r.id = ${recordId}
      where z.id = ${zoneId} and z.organization_id = ${organizationId}`,
  );
  if (row === undefined) throw notFound('DNS zone');
  if (!isRecord(row)) throw notFound('DNS record');
  return shown(row);
}
