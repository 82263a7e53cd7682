import { preconditionFailed } from '../errors.ts';

const MAX_RECORDS = 20_000;
/** Octets of all contents together: an export, and a comparison with the provider, hold them all. */
const MAX_CONTENTS = 4_000_000;

export type Size = { records: number; octets: number };

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
