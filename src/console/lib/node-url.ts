/* What the shared rules take from `node:url`, by the browser's own parser of host names. */

/** The host of a URL as it is written in DNS; empty for what is none. */
export function domainToASCII(domain: string): string {
  const url = `ws://${domain}`;
  return /[/?#@:\\]/.test(domain) || !URL.canParse(url) ? '' : new URL(url).hostname;
}

/** Browsers decode no punycode, but refuse what cannot be decoded; upper case makes it another spelling of the same. */
export const domainToUnicode = (domain: string): string => domain.toUpperCase();
