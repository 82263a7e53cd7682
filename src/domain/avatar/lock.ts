import type { Transaction } from '../../db/client.ts';

/** One transaction at a time claims a picture or decides that it can go. Taken without any other lock. */
export async function lockAvatar(tx: Transaction, hash: string): Promise<void> {
  await tx`select pg_advisory_xact_lock(hashtextextended(${`avatar ${hash}`}, 0))`;
}
