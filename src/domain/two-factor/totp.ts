import { Secret, TOTP } from 'otpauth';

const PERIOD_S = 30;
/** Steps before and after the present one whose codes are taken too: clocks differ (RFC 6238, section 5.2). */
const WINDOW = 1;
/** RFC 4226, section 4: at least 128 bits, 160 recommended. */
const SECRET_BYTES = 20;

const totp = (secret: string, label: string) =>
  new TOTP({ issuer: 'Tenantry', label, secret: Secret.fromBase32(secret), period: PERIOD_S });

/** A new shared secret, in base32. */
export const newTotpSecret = (): string => new Secret({ size: SECRET_BYTES }).base32;

/** What an authenticator app reads, usually as a QR code: otpauth://totp/… */
export const totpUri = (secret: string, email: string): string => totp(secret, email).toString();

/** The time step that a code belongs to; undefined for a wrong or too old code. */
export function stepOf(secret: string, code: string, now: Date): number | undefined {
  const delta = totp(secret, '').validate({ token: code, timestamp: now.getTime(), window: WINDOW });
  return delta === null ? undefined : Math.floor(now.getTime() / 1000 / PERIOD_S) + delta;
}
