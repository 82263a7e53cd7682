import { createHmac, randomBytes } from 'node:crypto';

/* The symmetric scheme v1 of Standard Webhooks, https://www.standardwebhooks.com */

const PREFIX = 'whsec_';

/** A new signing secret: `whsec_` and 256 random bits in base64. */
export const newWebhookSecret = (): string => `${PREFIX}${randomBytes(32).toString('base64')}`;

/** What one attempt is signed by. */
export type Signed = {
  /** Stays the same over attempts; receivers tell repetitions by it. */
  id: string;
  /** The moment of this attempt. Receivers refuse old ones, so that nobody can repeat it later. */
  at: Date;
  body: string;
};

/** The three headers of the scheme, with one signature for each of `secrets`. */
export function signatureHeaders(
  secrets: readonly string[],
  { id, at, body }: Signed,
): Record<string, string> {
  const timestamp = Math.floor(at.getTime() / 1000);
  const sign = (secret: string) =>
    createHmac('sha256', Buffer.from(secret.slice(PREFIX.length), 'base64'))
      .update(`${id}.${timestamp}.${body}`)
      .digest('base64');
  return {
    'webhook-id': id,
    'webhook-timestamp': String(timestamp),
    'webhook-signature': secrets.map((secret) => `v1,${sign(secret)}`).join(' '),
  };
}
