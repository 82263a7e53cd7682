import type { Sql, Transaction } from '../../db/client.ts';
import type { dnsRecords } from '../../db/schema/index.ts';
import { priorityOf } from '../../kernel/dns/content.ts';
import { fullName } from '../../kernel/dns/names.ts';
import { notFound } from '../../kernel/errors.ts';

export type RecordRow = typeof dnsRecords.$inferSelect;

/** A record as members see it: `name` is absolute, without the dot at its end. */
export type DnsRecord = RecordRow & { priority: number | null };

/** By which an ETag tells one state from another. */
export const DNS_RECORD_FIELDS = ['name', 'content', 'ttl'];

export const toRecord = (row: RecordRow, zone: string): DnsRecord => ({
  ...row,
  name: fullName(row.name, zone),
  priority: priorityOf(row.type, row.content),
});

/** What the audit log says of a record. */
export const summaryOf = ({ name, type, content, ttl }: DnsRecord) => ({ name, type, content, ttl });

/** @throws NOT_FOUND alike for a record that does not exist and for one of another zone */
export async function requireRecord(sql: Sql, zoneId: string, recordId: string): Promise<RecordRow> {
  const [row] = await sql<RecordRow[]>`
    select id, zone_id, name, type, content, ttl, created_at, updated_at from dns_records
    where id = ${recordId} and zone_id = ${zoneId}`;
  if (row === undefined) throw notFound('DNS record');
  return row;
}

/** The records of one name but for one of them. */
export const siblingsOf = (
  sql: Sql,
  zoneId: string,
  name: string,
  but: string | null,
): Promise<RecordRow[]> =>
  sql<RecordRow[]>`
    select id, zone_id, name, type, content, ttl, created_at, updated_at from dns_records
    where zone_id = ${zoneId} and name = ${name} and id is distinct from ${but}`;

/** Records of one name and type have one TTL: that of the one that was written last. */
export const shareTtl = (tx: Transaction, { zoneId, name, type, ttl, updatedAt }: RecordRow) => tx`
  update dns_records set ttl = ${ttl}, updated_at = ${updatedAt}
  where zone_id = ${zoneId} and name = ${name} and type = ${type} and ttl <> ${ttl}`;
