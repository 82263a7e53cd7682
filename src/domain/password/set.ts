import type { Transaction } from '../../db/client.ts';
import { badRequest } from '../../kernel/errors.ts';
import { passwordProblem } from '../../kernel/password.ts';
import type { Deps } from '../deps.ts';
import { enqueue } from '../job/index.ts';
import { endSessions } from '../session/index.ts';

/** @throws BAD_REQUEST naming the rules that a new password breaks. */
export function requireStrong(password: string, field = 'password'): void {
  const problem = passwordProblem(password);
  if (problem !== undefined) throw badRequest(field, 'weak_password', problem);
}

/**
 * Gives an account another password: every session but `keepSessionId` ends, and so do open links to choose one and to
 * change the address, which whoever knew the old password may have asked for. The holder is told. The caller holds the
 * user's row, writes the audit row, and has hashed the password.
 */
export async function setPassword(
  tx: Transaction,
  deps: Deps,
  user: { id: string; email: string },
  hash: string,
  keepSessionId: string | null,
): Promise<void> {
  const now = deps.now();
  await tx`
    update accounts set password = ${hash}, updated_at = ${now}
    where user_id = ${user.id} and provider_id = 'credential'`;
  await endSessions(tx, user.id, keepSessionId);
  await tx`delete from email_tokens where user_id = ${user.id} and purpose in ('reset', 'change')`;
  const notice = { kind: 'passwordChanged' as const, at: now.toISOString() };
  await enqueue(tx, 'mail.notice', { to: user.email, notice }, now);
}
