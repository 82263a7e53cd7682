import type { Sql } from '../../db/client.ts';
import type { StoredRecord } from '../../kernel/dns/rrsets.ts';

/** All records of a zone, relative to it, in the order of their names; the zone's own come first. */
export const storedRecords = (sql: Sql, zoneId: string): Promise<(StoredRecord & { id: string })[]> =>
  sql<(StoredRecord & { id: string })[]>`
    select id, name, type, content, ttl from dns_records where zone_id = ${zoneId}
    order by name <> '@', name, type, content`;
