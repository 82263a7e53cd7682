import type { Transaction } from '../../db/client.ts';
import { decryptText } from '../../kernel/encryption.ts';
import { unauthorized } from '../../kernel/errors.ts';
import { keyedHash } from '../../kernel/secrets.ts';
import type { Deps } from '../deps.ts';
import { enqueue } from '../job/index.ts';
import { stepOf } from './totp.ts';

export type SecondFactor = { kind: 'totp' | 'recoveryCode'; code: string };

export const ENCRYPTION_PURPOSE = 'totp';

export const hashRecoveryCode = (deps: Deps, userId: string, code: string): string =>
  keyedHash(deps.rules.secret, `recovery code ${userId}`, code.toLowerCase().replaceAll(/[^a-z0-9]/g, ''));

/**
 * Whether a code of the authenticator app is right and newer than every one that was accepted. Accepting it and
 * remembering its step are one statement, so that of two callers with one code one is refused.
 */
export async function spendTotp(tx: Transaction, deps: Deps, userId: string, code: string): Promise<boolean> {
  const [factor] = await tx<{ secret: string }[]>`select secret from two_factors where user_id = ${userId}`;
  if (factor === undefined) return false;
  const secret = decryptText(deps.rules.secret, ENCRYPTION_PURPOSE, userId, factor.secret);
  const step = stepOf(secret, code, deps.now());
  if (step === undefined) return false;
  const { count } = await tx`
    update two_factors set last_step = ${step}
    where user_id = ${userId} and (last_step is null or last_step < ${step})`;
  return count === 1;
}

async function spendRecoveryCode(
  tx: Transaction,
  deps: Deps,
  user: { id: string; email: string },
  code: string,
): Promise<boolean> {
  const { count } = await tx`
    delete from recovery_codes where user_id = ${user.id} and code_hash = ${hashRecoveryCode(deps, user.id, code)}`;
  if (count === 0) return false;
  const [left] = await tx<{ codes: number }[]>`
    select count(*) as codes from recovery_codes where user_id = ${user.id}`;
  const now = deps.now();
  const notice = { kind: 'recoveryCodeUsed' as const, at: now.toISOString(), left: left?.codes ?? 0 };
  await enqueue(tx, 'mail.notice', { to: user.email, notice }, now);
  return true;
}

/**
 * Takes a code of the second factor; it is not accepted again. The caller holds the user's row.
 *
 * @throws UNAUTHORIZED for a wrong, used or too old one, without saying which.
 */
export async function spendCode(
  tx: Transaction,
  deps: Deps,
  user: { id: string; email: string },
  { kind, code }: SecondFactor,
): Promise<void> {
  const accepted =
    kind === 'totp'
      ? await spendTotp(tx, deps, user.id, code)
      : await spendRecoveryCode(tx, deps, user, code);
  if (!accepted) throw unauthorized('invalid_code', 'This code is wrong, used or too old.');
}
