import type { Sql } from '../../db/client.ts';
import { badRequest } from '../../kernel/errors.ts';
import type { Deps } from '../deps.ts';

const readHash = async (sql: Sql, userId: string): Promise<string | undefined> => {
  const [account] = await sql<{ password: string }[]>`
    select password from accounts where user_id = ${userId} and provider_id = 'credential'`;
  return account?.password;
};

/**
 * Makes sure that who acts knows the password and has not merely found a session.
 *
 * @param field the input field that carried it
 * @returns the stored hash, to be compared again under the user's lock with `requireSameHash`
 * @throws BAD_REQUEST when it is wrong or missing
 */
export async function requireCurrentPassword(
  deps: Deps,
  userId: string,
  password: string | undefined,
  field: string,
): Promise<string> {
  if (password === undefined) {
    throw badRequest(field, 'password_required', 'Send your current password with this change.');
  }
  const hash = await deps.db.query((sql) => readHash(sql, userId));
  if (!(await deps.passwords.verify(hash, password)) || hash === undefined) {
    throw badRequest(field, 'wrong_password', 'This is not your current password.');
  }
  return hash;
}

/** Under the user's lock: the password that was checked a moment ago is still the one. @throws BAD_REQUEST */
export async function requireSameHash(sql: Sql, userId: string, hash: string, field: string): Promise<void> {
  if ((await readHash(sql, userId)) !== hash) {
    throw badRequest(field, 'wrong_password', 'The password was changed meanwhile.');
  }
}
