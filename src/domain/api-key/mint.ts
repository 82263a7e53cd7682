import type { Transaction } from '../../db/client.ts';
import { forbidden, unauthorized } from '../../kernel/errors.ts';
import type { Principal } from '../principal.ts';

const SHOWN_CHARACTERS = 6;

/** What of a key may be shown later, to tell keys apart. */
export const shownStart = (key: string, prefix: string): string =>
  key.slice(0, prefix.length + SHOWN_CHARACTERS);

/**
 * Keys never make wider keys: only an unlimited key of the whole user may make any or change a secret, and not by a
 * secret that is about to end. Holding its row, so that a key being revoked leaves none behind.
 */
export async function requireMint(tx: Transaction, { key }: Principal): Promise<void> {
  if (key === null) return;
  const [row] = await tx<{ limited: boolean }[]>`
    select scope <> 'user' or permissions is not null or expires_at is not null or rate_limit_max is not null
      or remaining is not null or allowed_ips is not null as limited
    from api_keys where id = ${key.id} for key share`;
  if (row === undefined) throw unauthorized('api_key_invalid', 'This API key is unknown or was revoked.');
  if (row.limited) {
    throw forbidden('key_is_limited', 'A limited API key cannot make keys. Use a session.');
  }
  if (key.outgoing) {
    throw forbidden('api_key_outgoing', 'This API key was replaced by a new one, which is needed for this.');
  }
}
