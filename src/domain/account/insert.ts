import type { Transaction } from '../../db/client.ts';
import { conflict } from '../../kernel/errors.ts';
import { newId } from '../../kernel/ids.ts';
import type { Profile } from './profile.ts';

type NewUser = Pick<
  Profile,
  'id' | 'email' | 'emailVerified' | 'name' | 'firstName' | 'lastName' | 'role' | 'createdAt' | 'updatedAt'
> & { dateOfBirth?: string | null; billingCountry?: string | null };

export const emailTaken = () => conflict('email_taken', 'This e-mail address has an account.', 'email');

/**
 * The rows of a new account: the user and its password, which is given as its hash.
 *
 * @throws CONFLICT when the address has an account.
 */
export async function insertUser(tx: Transaction, user: NewUser, password: string): Promise<void> {
  const inserted = await tx`insert into users ${tx(user)} on conflict (email) do nothing returning id`;
  if (inserted.length === 0) throw emailTaken();
  await tx`insert into accounts ${tx({
    id: newId(),
    accountId: user.id,
    providerId: 'credential',
    userId: user.id,
    password,
    createdAt: user.createdAt,
    updatedAt: user.createdAt,
  })}`;
}
