import { createHash } from 'node:crypto';
import { canonicalJson } from './canonical.ts';
import { preconditionFailed } from './errors.ts';

/**
 * What a caller requires of a thing before it is changed, from an If-Match header: that it is in one of these
 * versions. Undefined requires nothing.
 */
export type IfMatch = readonly string[] | undefined;

/**
 * The version that a thing is in: a hash of the fields that its update can change. Two states with the same values are
 * the same version, however they came about; unlike a time of change, it tells two changes of one millisecond apart.
 */
export function versionOf(fields: readonly string[], thing: object): string {
  const values = Object.entries(thing).filter(([name]) => fields.includes(name));
  return createHash('sha256')
    .update(canonicalJson(Object.fromEntries(values)))
    .digest('base64url')
    .slice(0, 22);
}

/**
 * To be asked under the lock that the change holds: otherwise another change slips in between.
 *
 * @throws PRECONDITION_FAILED when the thing is in another version than the caller has seen.
 */
export function requireVersion(ifMatch: IfMatch, fields: readonly string[], thing: object): void {
  if (ifMatch === undefined || ifMatch.includes(versionOf(fields, thing))) return;
  throw preconditionFailed('etag_mismatch', 'It has changed since you read it. Read it again.');
}
