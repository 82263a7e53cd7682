import ipaddr from 'ipaddr.js';
import { badRequest } from '../errors.ts';
import { canonicalName, MAX_NAME_LENGTH, nameIn, type Qualify } from './names.ts';
import { chunks, type Field, fieldsOf, quote, toBytes } from './text.ts';

export const RECORD_TYPES = ['A', 'AAAA', 'CNAME', 'TXT', 'MX', 'SRV', 'NS', 'CAA'] as const;
export type RecordType = (typeof RECORD_TYPES)[number];
export const isRecordType = (text: string): text is RecordType =>
  (RECORD_TYPES as readonly string[]).includes(text);

/**
 * In characters, of one content and of all contents of a name and type together: what an answer over TCP has room for, and
 * to spare. As no canonical content is longer, whatever is stored can be sent again.
 */
export const MAX_CONTENT_LENGTH = 32_000;
const MAX_TXT_BYTES = 4_096;

const refuse = (type: RecordType, message: string) =>
  badRequest('content', 'dns_content_invalid', `${type}: ${message}`);

function whole(type: RecordType, name: string, text: string, max = 65_535): string {
  if (!/^\d{1,5}$/.test(text) || Number(text) > max)
    throw refuse(type, `${name} is a number from 0 to ${max}.`);
  return String(Number(text));
}

/** A host name with the dot at its end; a lone dot where `none` says that it means something. */
function target(type: RecordType, field: Field, qualify: Qualify, none = false): string {
  const text = nameIn(field, 'content');
  if (text === '.') {
    if (none) return '.';
    throw refuse(type, 'The root is no target.');
  }
  const name = canonicalName(qualify(text), 'content');
  // In a zone file an address would be one more name below the origin.
  if (/(?:^|\.)\d+$/.test(name) || ipaddr.IPv4.isValidFourPartDecimal(text)) {
    throw refuse(type, 'The target is a name, and no address.');
  }
  // An alias may lead to any name, the others to hosts (RFC 1123, 2.1).
  if (type !== 'CNAME' && name.includes('_')) throw refuse(type, 'A host’s name has no underscores.');
  return `${name}.`;
}

/** The library takes the deprecated `::192.0.2.1` (RFC 4291, 2.5.5.1) for `::ffff:192.0.2.1`. */
const inHex = (text: string): string =>
  text.replace(/^::(\d{1,3}(?:\.\d{1,3}){3})$/, (whole, dotted: string) =>
    ipaddr.IPv4.isValidFourPartDecimal(dotted)
      ? ipaddr.IPv4.parse(dotted).toIPv4MappedAddress().toString().replace('::ffff:', '::')
      : whole,
  );

function address(type: 'A' | 'AAAA', given: string): string {
  const text = type === 'A' ? given : inHex(given);
  const isOne =
    type === 'A'
      ? ipaddr.IPv4.isValidFourPartDecimal(text)
      : /^[0-9a-f:.]{2,45}$/i.test(text) && text.includes(':') && ipaddr.IPv6.isValid(text);
  if (!isOne) throw refuse(type, `This is no IPv${type === 'A' ? 4 : 6} address.`);
  return type === 'A' ? ipaddr.IPv4.parse(text).toString() : ipaddr.IPv6.parse(text).toRFC5952String();
}

function texts(fields: Field[]): string {
  const bytes = fields.reduce((sum, { value }) => sum + value.length, 0);
  if (bytes > MAX_TXT_BYTES) throw refuse('TXT', `At most ${MAX_TXT_BYTES} bytes.`);
  return fields
    .flatMap(({ value }) => chunks(value))
    .map(quote)
    .join(' ');
}

function authority([flags = '', tag = '', value = '']: string[]): string {
  if (!/^[a-z0-9]{1,15}$/i.test(tag)) throw refuse('CAA', 'The tag has 1 to 15 letters and digits.');
  if (!/^[ -~]{0,255}$/.test(value)) throw refuse('CAA', 'The value has at most 255 characters of ASCII.');
  return `${whole('CAA', 'The flags field', flags, 255)} ${tag.toLowerCase()} ${quote(value)}`;
}

const SHAPES: Record<RecordType, string> = {
  A: '192.0.2.1',
  AAAA: '2001:db8::1',
  CNAME: 'target.example.com.',
  NS: 'ns1.example.com.',
  MX: '10 mail.example.com.',
  SRV: '10 5 5060 sip.example.com.',
  CAA: '0 issue "ca.example.net"',
  TXT: '"v=spf1 -all"',
};
const FIELD_COUNTS: Partial<Record<RecordType, number>> = {
  MX: 2,
  SRV: 4,
  CAA: 3,
  TXT: Number.POSITIVE_INFINITY,
};

/**
 * A content out of its parts, in the one way to write it: addresses shortened, names absolute and in lower case, texts
 * in quotation marks and at most 255 bytes each.
 *
 * @throws BAD_REQUEST
 */
export function contentOf(type: RecordType, fields: Field[], qualify: Qualify): string {
  const count = FIELD_COUNTS[type] ?? 1;
  const last = fields.at(-1);
  if (last === undefined || (Number.isFinite(count) && fields.length !== count)) {
    throw refuse(type, `Write it like ${SHAPES[type]}`);
  }
  const values = fields.map(({ value }) => value);
  const [first = '', second = '', third = ''] = values;
  switch (type) {
    case 'A':
    case 'AAAA':
      return address(type, first);
    case 'CNAME':
    case 'NS':
      return target(type, last, qualify);
    case 'MX':
      return `${whole(type, 'The preference', first)} ${target(type, last, qualify, first === '0')}`;
    case 'SRV':
      return [
        whole(type, 'The priority', first),
        whole(type, 'The weight', second),
        whole(type, 'The port', third),
        target(type, last, qualify, true),
      ].join(' ');
    case 'CAA':
      return authority(values);
    case 'TXT':
      return texts(fields);
  }
}

/** The parts of a content in text form. A text without quotation marks around it is one part, whatever is in it. */
function partsOf(type: RecordType, text: string): Field[] {
  if (text.length > MAX_CONTENT_LENGTH) throw refuse(type, `At most ${MAX_CONTENT_LENGTH} characters.`);
  const bytes = toBytes(text.trim());
  if (type === 'TXT' && !bytes.startsWith('"'))
    return [{ value: toBytes(text), quoted: true, hasEscapes: false }];
  const fields = fieldsOf(bytes);
  if (fields === undefined) throw refuse(type, 'A quotation mark is not closed, or an escape means nothing.');
  if (type === 'TXT' && !fields.every(({ quoted }) => quoted)) {
    throw refuse(type, 'Put each part in quotation marks, or none.');
  }
  return fields;
}

/** @throws BAD_REQUEST */
export const canonicalContent = (type: RecordType, text: string, qualify: Qualify): string =>
  contentOf(type, partsOf(type, text), qualify);

const WITH_PRIORITY: Partial<Record<RecordType, number>> = { MX: 2, SRV: 4 };

/** Content with its priority, where that came by itself. @throws BAD_REQUEST for types that have none */
export function withPriority(type: RecordType, content: string, priority: number | undefined): string {
  if (priority === undefined) return content;
  const parts = content.trim().split(/\s+/);
  const count = WITH_PRIORITY[type];
  if (count === undefined) {
    throw badRequest('priority', 'dns_priority_unused', `A record of type ${type} has no priority.`);
  }
  return [String(priority), ...(parts.length === count ? parts.slice(1) : parts)].join(' ');
}

/** The priority in a canonical content; null for types that have none. */
export const priorityOf = (type: RecordType, content: string): number | null =>
  WITH_PRIORITY[type] === undefined ? null : Number(content.slice(0, content.indexOf(' ')));

/** Moves a target in a canonical content that lies in one zone to another. @throws BAD_REQUEST for one that gets too long */
export function moveTarget(type: RecordType, content: string, from: string, to: string): string {
  if (!['CNAME', 'NS', 'MX', 'SRV'].includes(type)) return content;
  const at = content.lastIndexOf(' ') + 1;
  const name = content.slice(at);
  const isInside = name === `${from}.` || name.endsWith(`.${from}.`);
  if (!isInside) return content;
  const moved = `${name.slice(0, -from.length - 1)}${to}`;
  if (moved.length > MAX_NAME_LENGTH) throw refuse(type, `The target ${name} would be too long.`);
  return `${content.slice(0, at)}${moved}.`;
}
