import type { Transaction } from '../../db/client.ts';
import type { emailTokens } from '../../db/schema/index.ts';
import { newId } from '../../kernel/ids.ts';
import { deriveToken, hashSecret } from '../../kernel/secrets.ts';
import type { Deps, Rules } from '../deps.ts';
import { enqueue } from '../job/index.ts';

export type Purpose = (typeof emailTokens.$inferSelect)['purpose'];

const HOUR_MS = 60 * 60 * 1000;
const LIFETIME_MS: Record<Purpose, number> = { verify: 24 * HOUR_MS, reset: HOUR_MS, change: 24 * HOUR_MS };

/** The token in a link. Made again when its mail is sent; the database holds only its hash. */
export const emailToken = (rules: Rules, tokenId: string): string =>
  deriveToken(rules.secret, 'e-mail', tokenId, 1);

/**
 * Opens a link for an account and has it mailed to `email`, which it proves. A link that was open for the same purpose
 * is closed. The caller holds the user's row.
 */
export async function issueLink(
  tx: Transaction,
  deps: Deps,
  link: { userId: string; purpose: Purpose; email: string },
): Promise<void> {
  const now = deps.now();
  const id = newId();
  const row = {
    id,
    ...link,
    tokenHash: hashSecret(emailToken(deps.rules, id)),
    expiresAt: new Date(now.getTime() + LIFETIME_MS[link.purpose]),
    createdAt: now,
  };
  await tx`delete from email_tokens where user_id = ${link.userId} and purpose = ${link.purpose}`;
  await tx`insert into email_tokens ${tx(row)}`;
  await enqueue(tx, 'mail.link', { tokenId: id }, now);
}
