import type { Sql, Transaction } from '../../db/client.ts';
import { forbidden } from '../../kernel/errors.ts';

/** What better-auth's clients are told of who signed in. */
export type SignedInUser = {
  id: string;
  email: string;
  emailVerified: boolean;
  name: string;
  image: string | null;
  twoFactorEnabled: boolean;
  createdAt: Date;
  updatedAt: Date;
};

export type SigningIn = SignedInUser & { password: string; suspended: boolean };

const COLUMNS = (sql: Sql) => sql`
  u.id, u.email, u.email_verified, u.name, u.image, u.created_at, u.updated_at, a.password,
  u.suspended_at is not null as suspended, u.two_factor_enabled`;

export async function findByEmail(sql: Sql, email: string): Promise<SigningIn | undefined> {
  const [user] = await sql<SigningIn[]>`
    select ${COLUMNS(sql)} from users u join accounts a on a.user_id = u.id and a.provider_id = 'credential'
    where u.email = ${email}`;
  return user;
}

/** Holds the user's row, so that a suspension or a new password comes before the sign-in or after it. */
export async function lockById(tx: Transaction, userId: string): Promise<SigningIn | undefined> {
  const [user] = await tx<SigningIn[]>`
    select ${COLUMNS(tx)} from users u join accounts a on a.user_id = u.id and a.provider_id = 'credential'
    where u.id = ${userId} for no key update`;
  return user;
}

/** @throws FORBIDDEN, and only to who has shown the password. */
export function requireNotSuspended({ suspended }: SigningIn): void {
  if (suspended) throw forbidden('account_suspended', 'This account is suspended.');
}

export const signedIn = (user: SigningIn): SignedInUser => {
  const { id, email, emailVerified, name, image, twoFactorEnabled, createdAt, updatedAt } = user;
  return { id, email, emailVerified, name, image, twoFactorEnabled, createdAt, updatedAt };
};
