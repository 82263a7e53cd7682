import { badRequest, DomainError } from '../errors.ts';
import { contentOf, isRecordType } from './content.ts';
import { APEX, canonicalName, mailboxOf, nameIn, qualifyByOrigin, recordName } from './names.ts';
import { requireRoom } from './room.ts';
import { isProvidersOwn, type StoredRecord } from './rrsets.ts';
import { byteAt, type Field, SPACE, toBytes } from './text.ts';

export const MIN_TTL = 60;
export const MAX_TTL = 86_400;
export const DEFAULT_TTL = 3_600;

const refuse = (line: number, message: string) =>
  badRequest('zoneFile', 'zone_file_invalid', `Line ${line}: ${message}`);

type Entry = { line: number; fields: Field[]; keepsOwner: boolean };

/** What each entry of the file consists of: parentheses join lines, comments are gone (RFC 1035, 5.1). */
function* entriesOf(text: string): Generator<Entry> {
  const bytes = toBytes(text.replace(/^\ufeff/, ''));
  let [line, depth, at] = [1, 0, 0];
  let entry: Entry = { line, fields: [], keepsOwner: /^[ \t]/.test(bytes) };
  while (at < bytes.length) {
    const character = bytes[at] ?? '';
    if (character === '\n') {
      line += 1;
      at += 1;
      if (depth > 0) continue;
      if (entry.fields.length > 0) yield entry;
      entry = { line, fields: [], keepsOwner: /[ \t]/.test(bytes[at] ?? '') };
    } else if (character === ';') {
      const end = bytes.indexOf('\n', at);
      at = end === -1 ? bytes.length : end;
    } else if (character === '(' || character === ')') {
      depth += character === '(' ? 1 : -1;
      if (depth < 0) throw refuse(line, 'A parenthesis is closed that was not opened.');
      at += 1;
    } else if (SPACE.test(character)) {
      at += 1;
    } else {
      const read = readField(bytes, at, line);
      entry.fields.push(read.field);
      at = read.end;
    }
  }
  if (depth > 0) throw refuse(entry.line, 'A parenthesis is not closed.');
  if (entry.fields.length > 0) yield entry;
}

const ENDS_WORD = /[ \t\r\n\f\v";()]/;

function readField(bytes: string, start: number, line: number): { field: Field; end: number } {
  const quoted = bytes[start] === '"';
  const parts: string[] = [];
  let hasEscapes = false;
  let at = quoted ? start + 1 : start;
  for (; at < bytes.length; ) {
    const character = bytes[at] ?? '';
    if (quoted ? character === '"' : ENDS_WORD.test(character)) break;
    if (character === '\n') break;
    const byte = byteAt(bytes, at);
    if (byte === undefined) throw refuse(line, 'An escape means nothing.');
    parts.push(byte.value);
    hasEscapes ||= byte.length > 1;
    at += byte.length;
  }
  if (quoted && bytes[at] !== '"') throw refuse(line, 'A quotation mark is not closed.');
  return { field: { value: parts.join(''), quoted, hasEscapes }, end: quoted ? at + 1 : at };
}

const UNITS: Record<string, number> = { s: 1, m: 60, h: 3_600, d: 86_400, w: 604_800 };
const isTtl = (text: string) => /^\d{1,9}$|^(?:\d{1,6}[smhdw])+$/i.test(text);
/** In seconds; also such as 1h30m. */
const secondsOf = (text: string): number =>
  [...text.toLowerCase().matchAll(/(\d+)([smhdw]?)/g)].reduce(
    (sum, [, digits = '0', unit = '']) => sum + Number(digits) * (UNITS[unit] ?? 1),
    0,
  );

/** Made by the name servers themselves when a zone is signed; BIND notes in the last one how far it is. */
const SIGNING = new Set(['RRSIG', 'NSEC', 'NSEC3', 'NSEC3PARAM', 'DNSKEY', 'CDS', 'CDNSKEY', 'TYPE65534']);

export type ZoneFile = { records: StoredRecord[]; skipped: number };

/**
 * The records of a zone file, relative to the zone. The SOA, the name servers of the zone itself and what belongs to
 * signatures are counted as skipped: they are the provider's. Records of one name and type take the lowest TTL of them.
 * Nothing is read beyond as many records as a zone may have, those that are repeated included.
 *
 * @throws BAD_REQUEST that names the line; PRECONDITION_FAILED for more than a zone has room for
 */
export function parseZoneFile(text: string, zone: string): ZoneFile {
  const state: State = { origin: zone, defaultTtl: undefined, lastTtl: undefined, owner: APEX };
  const records = new Map<string, StoredRecord>();
  const lowest = new Map<string, number>();
  let [read, skipped] = [0, 0];
  for (const entry of entriesOf(text)) {
    const record = atLine(entry.line, () =>
      isDirective(entry, state) ? undefined : recordOf(entry, state, zone),
    );
    if (record === undefined) continue;
    if (record === 'skipped') {
      skipped += 1;
      continue;
    }
    read += 1;
    requireRoom({ records: read, octets: 0 });
    const set = `${record.name} ${record.type}`;
    lowest.set(set, Math.min(record.ttl, lowest.get(set) ?? MAX_TTL));
    records.set(`${set} ${record.content}`, record);
  }
  const found = [...records.values()];
  for (const record of found) record.ttl = lowest.get(`${record.name} ${record.type}`) ?? record.ttl;
  return { records: found, skipped };
}

/** What is refused inside says in which line. */
function atLine<T>(line: number, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof DomainError && error.field !== 'zoneFile') throw refuse(line, error.message);
    throw error;
  }
}

/** What an entry takes from those before it. */
type State = {
  origin: string;
  /** Of $TTL (RFC 2308, 4), or else the minimum of a SOA that has no TTL itself. */
  defaultTtl: number | undefined;
  /** The TTL written last, which counts where there is no default (RFC 1035, 5.1). */
  lastTtl: number | undefined;
  owner: string;
};

/** Relative to the one before; the root's is empty. */
function originOf(argument: Field | undefined, before: string): string {
  const text = argument === undefined ? '' : nameIn(argument, 'origin');
  return text === '.' ? '' : canonicalName(qualifyByOrigin(before)(text), 'origin');
}

function isDirective({ line, fields }: Entry, state: State): boolean {
  const [name, argument] = fields;
  if (name === undefined || name.quoted || !name.value.startsWith('$')) return false;
  switch (name.value.toUpperCase()) {
    case '$ORIGIN':
      state.origin = originOf(argument, state.origin);
      return true;
    case '$TTL':
      if (!isTtl(argument?.value ?? '')) throw refuse(line, 'This is no TTL.');
      state.defaultTtl = secondsOf(argument?.value ?? '');
      return true;
    default:
      throw refuse(line, 'Of the directives only $ORIGIN and $TTL are known.');
  }
}

/** Before the type a TTL and a class can stand, in either order. */
function readTtl({ line, fields }: Entry, start: number): { ttl: number | undefined; end: number } {
  let ttl: number | undefined;
  let hasClass = false;
  for (let end = start; ; end += 1) {
    const word = fields[end]?.value ?? '';
    if (isTtl(word)) {
      if (ttl !== undefined) throw refuse(line, 'A record has one TTL.');
      ttl = secondsOf(word);
    } else if (/^IN$/i.test(word)) {
      if (hasClass) throw refuse(line, 'A record has one class.');
      hasClass = true;
    } else return { ttl, end };
  }
}

function minimumOf(soa: readonly Field[]): number | undefined {
  const last = soa.at(-1)?.value ?? '';
  return isTtl(last) ? secondsOf(last) : undefined;
}

function recordOf(entry: Entry, state: State, zone: string): StoredRecord | 'skipped' {
  const { line, fields: all, keepsOwner } = entry;
  const qualify = qualifyByOrigin(state.origin);
  const [first] = all;
  if (!keepsOwner && first !== undefined) {
    const owner = qualify(nameIn(first, 'name'));
    state.owner = recordName(`${owner.replace(/\.$/, '')}.`, zone);
  }
  const { ttl: written, end } = readTtl(entry, keepsOwner ? 0 : 1);
  const type = all[end]?.value.toUpperCase() ?? '';
  state.lastTtl = written ?? state.lastTtl;
  if (type === 'SOA' && state.lastTtl === undefined) state.defaultTtl ??= minimumOf(all);
  const ttl = written ?? state.defaultTtl ?? state.lastTtl ?? DEFAULT_TTL;
  if (type === 'SOA' || SIGNING.has(type)) return 'skipped';
  if (!isRecordType(type)) throw refuse(line, `The type ${type.slice(0, 20)} is not supported.`);
  if (isProvidersOwn(state.owner, type)) return 'skipped';
  if (ttl < MIN_TTL || ttl > MAX_TTL) throw refuse(line, `A TTL is ${MIN_TTL} to ${MAX_TTL} seconds.`);
  return { name: state.owner, type, ttl, content: contentOf(type, all.slice(end + 1), qualify) };
}

/** Stands where there is a name server to be. */
const NO_NAMESERVER = 'nameserver.invalid';

/** A zone file that name servers load. `nameservers` are those of its provider; a comment says where they are missing. */
export function printZoneFile(
  zone: string,
  nameservers: readonly string[],
  records: readonly StoredRecord[],
  serial: number,
): string {
  const hosts = nameservers.length > 0 ? nameservers : [NO_NAMESERVER];
  const lines = [
    `$ORIGIN ${zone}.`,
    `$TTL ${DEFAULT_TTL}`,
    `@\t${DEFAULT_TTL}\tIN\tSOA\t${hosts[0]}. ${mailboxOf(zone)}. ${serial} 10800 3600 604800 3600`,
    ...(nameservers.length > 0 ? [] : [`; ${NO_NAMESERVER} is to be replaced by name servers of your own`]),
    ...hosts.map((name) => `@\t${DEFAULT_TTL}\tIN\tNS\t${name}.`),
    ...records.map(({ name, ttl, type, content }) => `${name}\t${ttl}\tIN\t${type}\t${content}`),
  ];
  return `${lines.join('\n')}\n`;
}
