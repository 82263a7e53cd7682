import type { Sql } from '../../db/client.ts';
import { preconditionFailed } from '../../kernel/errors.ts';

const MAX_RECORDS = 20_000;
/** Octets of all contents together: an export, and a comparison with the provider, hold them all. */
const MAX_CONTENTS = 4_000_000;

type Size = { records: number; octets: number };

/** @throws PRECONDITION_FAILED for more than a zone has room for */
export function requireRoom({ records, octets }: Size): void {
  if (records > MAX_RECORDS) {
    throw preconditionFailed('too_many_dns_records', `A zone has at most ${MAX_RECORDS} records.`);
  }
  if (octets > MAX_CONTENTS) {
    throw preconditionFailed(
      'dns_zone_too_large',
      `The contents of a zone’s records have at most ${MAX_CONTENTS} octets together.`,
    );
  }
}

/** The same for what comes to a zone, which is held. @throws PRECONDITION_FAILED */
export async function requireRoomFor(sql: Sql, zoneId: string, more: Size): Promise<void> {
  const [has = { records: 0, octets: 0 }] = await sql<Size[]>`
    select count(*) as records, coalesce(sum(octet_length(content)), 0) as octets
    from dns_records where zone_id = ${zoneId}`;
  requireRoom({ records: has.records + more.records, octets: has.octets + more.octets });
}
