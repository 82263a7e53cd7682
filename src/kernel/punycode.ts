import { domainToASCII, domainToUnicode } from 'node:url';

/**
 * Of labels that begin with xn-- only what decodes to a name that is written like this and no other way (UTS 46). Some
 * versions of Node give back a label that cannot be decoded, others nothing.
 */
export function isCanonicalLabel(label: string): boolean {
  if (!label.startsWith('xn--')) return true;
  const decoded = domainToUnicode(label);
  return !decoded.startsWith('xn--') && domainToASCII(decoded) === label;
}
