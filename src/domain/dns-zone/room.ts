import type { Sql } from '../../db/client.ts';
import { requireRoom, type Size } from '../../kernel/dns/room.ts';

/** There is room for what comes to a zone, which is held. @throws PRECONDITION_FAILED */
export async function requireRoomFor(sql: Sql, zoneId: string, more: Size): Promise<void> {
  const [has = { records: 0, octets: 0 }] = await sql<Size[]>`
    select count(*) as records, coalesce(sum(octet_length(content)), 0) as octets
    from dns_records where zone_id = ${zoneId}`;
  requireRoom({ records: has.records + more.records, octets: has.octets + more.octets });
}
