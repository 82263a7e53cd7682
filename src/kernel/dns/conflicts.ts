import { badRequest, conflict, preconditionFailed } from '../errors.ts';
import { MAX_CONTENT_LENGTH } from './content.ts';
import { APEX, fullName } from './names.ts';
import { isProvidersOwn, type StoredRecord } from './rrsets.ts';

/**
 * Whether records of one name can stand beside one another.
 *
 * @throws CONFLICT; BAD_REQUEST for an alias of itself, and for name servers of a wildcard; PRECONDITION_FAILED when one
 *   answer cannot hold them
 */
export function requireCompatible(records: readonly StoredRecord[], zone: string): void {
  const [first] = records;
  if (first === undefined) return;
  const name = fullName(first.name, zone);
  // What it would mean is not defined (RFC 4592, 4.2), and there are name servers that load no zone with one.
  if (first.name.startsWith('*') && records.some(({ type }) => type === 'NS')) {
    throw badRequest('name', 'dns_name_invalid', `A wildcard has no name servers, here ${name}.`);
  }
  const seen = new Set<string>();
  const lengths = new Map<string, number>();
  for (const { type, content } of records) {
    if (isProvidersOwn(first.name, type)) {
      throw conflict(
        'dns_own_nameservers',
        'The name servers of the zone itself are set by its provider.',
        'name',
      );
    }
    if (type === 'CNAME' && content === `${name}.`) {
      throw badRequest(
        'content',
        'dns_content_invalid',
        `A CNAME record cannot point to itself, here ${name}.`,
      );
    }
    const key = `${type} ${content}`;
    if (seen.has(key))
      throw conflict('dns_record_exists', `There is this ${type} record of ${name} already.`, 'content');
    seen.add(key);
    const length = (lengths.get(type) ?? 0) + content.length;
    lengths.set(type, length);
    if (length > MAX_CONTENT_LENGTH) {
      throw preconditionFailed(
        'dns_rrset_too_large',
        `The ${type} records of ${name} are too long for one answer.`,
      );
    }
  }
  if (seen.has('MX 0 .') && records.filter(({ type }) => type === 'MX').length > 1) {
    throw conflict(
      'dns_null_mx_not_alone',
      `An MX record of 0 . says that there is no mail, and is the only one of its name, here ${name}.`,
      'content',
    );
  }
  if (!lengths.has('CNAME')) return;
  if (first.name === APEX) {
    throw conflict('dns_cname_at_apex', 'The name of the zone itself cannot have a CNAME record.', 'name');
  }
  if (records.length > 1) {
    throw conflict(
      'dns_cname_not_alone',
      `A CNAME record is the only record of its name, here ${name}.`,
      'name',
    );
  }
}

/** The same for all records of a zone. */
export function requireCompatibleZone(records: readonly StoredRecord[], zone: string): void {
  const byName = new Map<string, StoredRecord[]>();
  for (const record of records) {
    const siblings = byName.get(record.name);
    if (siblings === undefined) byName.set(record.name, [record]);
    else siblings.push(record);
  }
  for (const siblings of byName.values()) requireCompatible(siblings, zone);
}
