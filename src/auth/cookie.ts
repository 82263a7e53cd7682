import { createHmac } from 'node:crypto';
import { equalSecrets } from '../kernel/secrets.ts';

const TOKEN_LENGTH = 256;

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
 * The session token of a Cookie header whose signature holds; undefined otherwise. better-auth writes the cookie as
 * `<token>.<base64 of HMAC-SHA256(secret, token)>`.
 */
export function readSessionToken(
  header: string | undefined,
  name: string,
  secret: string,
): string | undefined {
  const value = header === undefined ? undefined : readCookie(header, name);
  if (value === undefined || value.length > TOKEN_LENGTH) return undefined;
  const dot = value.lastIndexOf('.');
  if (dot < 1) return undefined;
  const token = value.slice(0, dot);
  const signature = createHmac('sha256', secret).update(token).digest('base64');
  return equalSecrets(signature, value.slice(dot + 1)) ? token : undefined;
}
