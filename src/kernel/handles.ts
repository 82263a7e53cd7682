import { domainToASCII } from 'node:url';
import { getPublicSuffix } from 'tldts';
import { lowerAscii } from './ascii.ts';
import { isCanonicalLabel } from './punycode.ts';

const MAX_LENGTH = 253;
const LABEL = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;
const TOP_LABEL = /^(?:[a-z]{2,63}|xn--[a-z0-9-]{1,58}[a-z0-9])$/;

/** First labels that hosting panels and mail systems expect to be the platform's own (RFC 2142 and common use). */
const RESERVED_LABELS = new Set(
  `www api app admin mail smtp imap pop pop3 mx ftp ssh vpn ns ns1 ns2 ns3 ns4 dns autoconfig autodiscover
   webmail cpanel panel console dashboard status docs cdn static assets auth login account billing support help
   root postmaster hostmaster webmaster abuse security noc localhost wpad isatap`.split(/\s+/),
);

export type HandleProblem = 'invalid' | 'base_domain' | 'reserved' | 'public_suffix';
export type HandleResult = { handle: string } | { problem: HandleProblem; message: string };

const problem = (kind: HandleProblem, message: string): HandleResult => ({ problem: kind, message });

const SHAPE =
  'A handle is a name such as acme.example.com: labels of a-z, 0-9 and inner hyphens, 1 to 63 characters each, ending in at least two letters.';

/**
 * How a name in another alphabet would be written, where it can be. It is not taken as it came: many letters look like
 * others, and who sees the punycode sees which one is claimed.
 */
function asciiForm(name: string): string {
  const ascii = /^[a-z0-9.\-\u0080-\uffff]+$/.test(name) ? domainToASCII(name) : '';
  const isOther = ascii !== name && ascii.split('.').every((label) => LABEL.test(label));
  return isOther && !/^[\d.]+$/.test(ascii) ? ` Other letters are written in punycode: ${ascii}` : '';
}

/** `a.b.c` lies within `b.c` and within itself. */
export const isWithin = (name: string, parent: string): boolean =>
  name === parent || name.endsWith(`.${parent}`);

/**
 * The canonical form of a handle: a host name of at least two labels (RFC 1123, lower case). A single label is
 * completed with `baseDomain`.
 */
export function parseHandle(text: string, baseDomain: string): HandleResult {
  const lower = lowerAscii(text);
  const handle = lower.includes('.') ? lower : `${lower}.${baseDomain}`;
  if (handle.length > MAX_LENGTH) return problem('invalid', `A handle has at most ${MAX_LENGTH} characters.`);
  if (isWithin(baseDomain, handle)) {
    return problem('base_domain', `The platform's own domain cannot be a handle.`);
  }
  const labels = handle.split('.');
  const [first = '', top = ''] = [labels[0], labels.at(-1)];
  if (!labels.every((label) => LABEL.test(label)) || !TOP_LABEL.test(top)) {
    return problem('invalid', SHAPE + asciiForm(handle));
  }
  if (!labels.every(isCanonicalLabel)) {
    return problem('invalid', 'A label that begins with xn-- must be the punycode of a name.');
  }
  const label = isWithin(handle, baseDomain)
    ? (labels[labels.length - baseDomain.split('.').length - 1] ?? first)
    : first;
  if (RESERVED_LABELS.has(label) || RESERVED_LABELS.has(first)) {
    return problem('reserved', `The name "${label}" is reserved.`);
  }
  // Whoever held co.uk would stand above everybody's names in it.
  if (getPublicSuffix(handle, { allowPrivateDomains: true }) === handle) {
    return problem('public_suffix', 'A public suffix cannot be a handle.');
  }
  return { handle };
}

/**
 * What two handles that contain one another have in common, so that a lock on it orders their creation: the label
 * below the base domain with the base domain, or else the last two labels.
 */
export function handleFamily(handle: string, baseDomain: string): string {
  const labels = handle.split('.');
  const kept = isWithin(handle, baseDomain) ? baseDomain.split('.').length + 1 : 2;
  return labels.slice(-kept).join('.');
}

/** Every name above a handle: `a.b.c.d` → `b.c.d`, `c.d`, `d`. */
export function namesAbove(handle: string): string[] {
  const labels = handle.split('.');
  return labels.slice(1).map((_, index) => labels.slice(index + 1).join('.'));
}

/** A label made of a display name: ASCII letters and digits, hyphens between; `org` where nothing is left. */
export function labelFromName(name: string): string {
  const label = name
    .normalize('NFKD')
    .toLowerCase()
    .replace(/[\p{M}'’]+/gu, '')
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, 40)
    .replace(/^-+|-+$/g, '');
  return label === '' ? 'org' : label;
}
