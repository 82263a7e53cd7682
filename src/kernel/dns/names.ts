import { domainToASCII } from 'node:url';
import { lowerAscii } from '../ascii.ts';
import { badRequest } from '../errors.ts';
import { isCanonicalLabel } from '../punycode.ts';
import { type Field, fromBytes } from './text.ts';

/** Of a name in text form, without the dot at its end. */
export const MAX_NAME_LENGTH = 253;
/** The zone's own name, relative to itself. */
export const APEX = '@';
/** Services and challenges have names with underscores, so labels are looser than those of hosts. */
const LABEL = /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/;

// The conversion also maps dots and percent signs of other alphabets, so its result is checked as a label.
const toAscii = (label: string): string => (/[^\0-\x7f]/.test(label) ? domainToASCII(label) : label);

/**
 * A name as it is written. No escape is needed in one: an escaped dot would be taken for a dot, and some programs write
 * other escapes in octal.
 *
 * @throws BAD_REQUEST that names `field`
 */
export function nameIn({ value, hasEscapes }: Field, field: string): string {
  if (hasEscapes) throw badRequest(field, 'dns_name_invalid', 'A name has no escapes.');
  return fromBytes(value);
}

/** `www` in `example.com` → `www.example.com`. */
export const fullName = (relative: string, zone: string): string =>
  relative === APEX ? zone : `${relative}.${zone}`;

/** The RNAME of a zone's SOA (RFC 1035, 3.3.13): its hostmaster, or the zone's own name where that would be too long. */
export const mailboxOf = (zone: string): string => {
  const mailbox = fullName('hostmaster', zone);
  return mailbox.length > MAX_NAME_LENGTH ? zone : mailbox;
};

/** `www.example.com` in `example.com` → `www`; undefined for a name outside the zone. */
export function relativeName(name: string, zone: string): string | undefined {
  if (name === zone) return APEX;
  return name.endsWith(`.${zone}`) ? name.slice(0, -zone.length - 1) : undefined;
}

/**
 * An absolute name in lower case and in its ASCII form (IDNA), without the dot at its end.
 *
 * @throws BAD_REQUEST that names `field`
 */
export function canonicalName(text: string, field: string, allowWildcard = false): string {
  const refuse = (message: string) => badRequest(field, 'dns_name_invalid', message);
  if (text.length > 4 * MAX_NAME_LENGTH) throw refuse(`A name has at most ${MAX_NAME_LENGTH} characters.`);
  const labels = lowerAscii(text.replace(/\.$/, '')).split('.').map(toAscii);
  const name = labels.join('.');
  if (name.length > MAX_NAME_LENGTH) throw refuse(`A name has at most ${MAX_NAME_LENGTH} characters.`);
  for (const [index, label] of labels.entries()) {
    if (allowWildcard && index === 0 && label === '*') continue;
    if (label.includes('*'))
      throw refuse('A wildcard is a whole label, and the first one of a record’s name.');
    if (!LABEL.test(label)) {
      throw refuse('A name has labels of letters, digits, underscores and inner hyphens, 1 to 63 each.');
    }
    if (!isCanonicalLabel(label)) {
      throw refuse('A label that begins with xn-- must be the punycode of a name.');
    }
  }
  return name;
}

/**
 * A record's name relative to its zone, as it is stored. With a dot at its end it is absolute; without one it may be
 * relative, or end in the zone's name.
 *
 * @throws BAD_REQUEST for what is no name, or lies outside the zone
 */
export function recordName(text: string, zone: string, field = 'name'): string {
  const trimmed = text.trim();
  if (trimmed === APEX || trimmed === '') return APEX;
  const name = canonicalName(trimmed, field, true);
  const inside = relativeName(name, zone);
  if (inside === undefined && trimmed.endsWith('.')) {
    throw badRequest(field, 'dns_name_outside_zone', `This name is not in the zone ${zone}.`);
  }
  return inside ?? canonicalRelative(name, zone, field);
}

function canonicalRelative(name: string, zone: string, field: string): string {
  if (fullName(name, zone).length > MAX_NAME_LENGTH) {
    throw badRequest(
      field,
      'dns_name_invalid',
      `With its zone a name has at most ${MAX_NAME_LENGTH} characters.`,
    );
  }
  return name;
}

/** Makes a name within a record's content absolute; the result has no dot at its end. */
export type Qualify = (text: string) => string;

/** As people write them in forms: `@` and single labels belong to the zone, everything with a dot is absolute. */
export const qualifyIn =
  (zone: string): Qualify =>
  (text) => {
    if (text === APEX) return zone;
    return text.includes('.') ? text : `${text}.${zone}`;
  };

/** As zone files say it: what has no dot at its end belongs to the origin. */
export const qualifyByOrigin =
  (origin: string): Qualify =>
  (text) => {
    if (text === APEX) return origin;
    return text.endsWith('.') ? text : `${text}.${origin}`;
  };
