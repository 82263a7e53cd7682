import { createHmac } from 'node:crypto';
import { equalSecrets } from '../kernel/secrets.ts';

const MAX_LENGTH = 1024;

/** The value of one cookie of a Cookie header, decoded (RFC 6265, section 5.4). */
function readCookie(header: string, name: string): string | undefined {
  for (const pair of header.split(';')) {
    const at = pair.indexOf('=');
    if (at === -1 || pair.slice(0, at).trim() !== name) continue;
    const value = pair.slice(at + 1).trim();
    try {
      return decodeURIComponent(value);
    } catch {
      return undefined; // not one of ours: ours are encoded
    }
  }
  return undefined;
}

/**
 * What a signed cookie of a Cookie header holds; undefined when its signature does not. better-auth writes
 * `<value>.<base64 of HMAC-SHA256(secret, value)>`.
 */
export function readSignedCookie(
  header: string | undefined,
  name: string,
  secret: string,
): string | undefined {
  const cookie = header === undefined ? undefined : readCookie(header, name);
  if (cookie === undefined || cookie.length > MAX_LENGTH) return undefined;
  const dot = cookie.lastIndexOf('.');
  if (dot < 1) return undefined;
  const value = cookie.slice(0, dot);
  const signature = createHmac('sha256', secret).update(value).digest('base64');
  return equalSecrets(signature, cookie.slice(dot + 1)) ? value : undefined;
}
