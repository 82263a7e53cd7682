import { isRecordType, type RecordType } from './content.ts';
import { APEX, fullName } from './names.ts';

/** All records of one name and type; they share their TTL. `name` is absolute, without the dot at its end. */
export type Rrset = { name: string; type: RecordType; ttl: number; contents: string[] };
/** What it is now, and what it is to be; null is nothing. */
export type RrsetChange<Actual extends Rrset = Rrset> =
  | { before: Actual | null; after: Rrset }
  | { before: Actual; after: null };

export type StoredRecord = { name: string; type: RecordType; ttl: number; content: string };

const keyOf = ({ name, type }: { name: string; type: string }) => `${name} ${type}`;

/** The rrsets that a zone's records make; their names are relative to it. */
export function rrsetsOf(records: readonly StoredRecord[], zone: string): Rrset[] {
  const sets = new Map<string, Rrset>();
  for (const { name, type, ttl, content } of records) {
    const key = keyOf({ name, type });
    const set = sets.get(key) ?? { name: fullName(name, zone), type, ttl, contents: [] };
    set.contents.push(content);
    sets.set(key, set);
  }
  return [...sets.values()];
}

/** The SOA and the name servers of a zone are its provider's affair, and no type that we do not know is touched. */
export const isManaged = (name: string, type: string, zone: string): type is RecordType =>
  isRecordType(type) && !(type === 'NS' && name === zone);
export const isProvidersOwn = (name: string, type: RecordType): boolean => type === 'NS' && name === APEX;

const isSame = (one: Rrset, other: Rrset): boolean =>
  one.ttl === other.ttl &&
  one.contents.length === other.contents.length &&
  [...one.contents].sort().join('\n') === [...other.contents].sort().join('\n');

/** What has to be changed to come from one state to the other. Removals come first: a CNAME stands alone at its name. */
export function changesBetween<Actual extends Rrset>(
  desired: readonly Rrset[],
  actual: readonly Actual[],
): RrsetChange<Actual>[] {
  const present = new Map(actual.map((set) => [keyOf(set), set]));
  const wanted = new Set(desired.map(keyOf));
  const removals = actual.filter((set) => !wanted.has(keyOf(set))).map((before) => ({ before, after: null }));
  const others = desired.flatMap((after) => {
    const before = present.get(keyOf(after)) ?? null;
    return before !== null && isSame(before, after) ? [] : [{ before, after }];
  });
  return [...removals, ...others];
}
