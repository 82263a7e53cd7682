import type { Transaction } from '../db/client.ts';
import { unauthorized } from '../kernel/errors.ts';

export type LockedUser = { id: string; email: string; emailVerified: boolean };

/**
 * Holds a user's row, so that what counts per user (organizations owned, the default one, keys) is counted by one
 * transaction at a time. Locks are always taken in this order: user, organization, anything else.
 */
export async function lockUser(tx: Transaction, userId: string): Promise<LockedUser> {
  const [user] = await tx<LockedUser[]>`
    select id, email, email_verified from users where id = ${userId} for no key update`;
  if (user === undefined) throw unauthorized('account_gone', 'This account no longer exists.');
  return user;
}

/** Holds the rows of several users, always in the same order. @returns those that there are, by id */
export const lockUsers = (tx: Transaction, userIds: string[]): Promise<LockedUser[]> => tx<LockedUser[]>`
  select id, email, email_verified from users where id in ${tx(userIds)} order by id for no key update`;
