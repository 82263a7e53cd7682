import { domainToASCII } from 'node:url';
import { lowerAscii } from './ascii.ts';
import { isCanonicalLabel } from './punycode.ts';

/** Longest address that SMTP carries (RFC 5321 4.5.3.1.3, without the angle brackets). */
export const EMAIL_MAX_LENGTH = 254;

/** What an address looks like once it is canonical; the last label may be punycode. */
export const EMAIL_PATTERN =
  /^(?:[a-z0-9_'+-]+\.)*[a-z0-9_'+-]*[a-z0-9_+-]@(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+(?:[a-z]{2,63}|xn--[a-z0-9-]{1,58}[a-z0-9])$/;

const ASCII_ONLY = /^[\u0020-\u007e]*$/;
/** What a host name has of ASCII; everything else there would be read as a part of a URL or be decoded. */
const NO_OTHER_ASCII = /^[A-Za-z0-9.\-\u0080-\uffff]+$/;

/**
 * The one way to write an address, so that it has one account and one invitation: the part before the @ in lower case,
 * the domain as DNS has it (UTS 46: lower case, full-width letters folded, other alphabets in punycode). What cannot be
 * an address comes back as something that `EMAIL_PATTERN` refuses: letters beyond ASCII before the @ most of all, which
 * few servers deliver to and which can look like, or fold to, somebody else's.
 */
export function canonicalEmail(text: string): string {
  const at = text.lastIndexOf('@');
  const [local, domain] = [text.slice(0, at), text.slice(at + 1)];
  if (at < 1 || text.length > EMAIL_MAX_LENGTH) return text;
  if (ASCII_ONLY.test(domain) && !/(?:^|\.)xn--/i.test(domain)) return lowerAscii(text);
  if (!NO_OTHER_ASCII.test(domain)) return text;
  const ascii = domainToASCII(domain);
  const isName = ascii !== '' && ascii.split('.').every(isCanonicalLabel);
  return isName ? `${lowerAscii(local)}@${ascii}` : '';
}
