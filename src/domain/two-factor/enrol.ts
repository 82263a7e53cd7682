import type { Transaction } from '../../db/client.ts';
import { encryptText } from '../../kernel/encryption.ts';
import { badRequest, preconditionFailed } from '../../kernel/errors.ts';
import { newId } from '../../kernel/ids.ts';
import { randomSuffix } from '../../kernel/secrets.ts';
import { record } from '../audit/index.ts';
import type { Deps } from '../deps.ts';
import { enqueue } from '../job/index.ts';
import { requireCurrentPassword, requireSameHash } from '../password/index.ts';
import type { Principal } from '../principal.ts';
import { endSessions } from '../session/index.ts';
import { lockUser } from '../user-lock.ts';
import { ENCRYPTION_PURPOSE, hashRecoveryCode, spendTotp } from './code.ts';
import { newTotpSecret, totpUri } from './totp.ts';

const RECOVERY_CODES = 10;
const CODE_LENGTH = 10;

/** Shown once. */
export type Enrolment = { totpURI: string; backupCodes: string[] };

async function isEnabled(tx: Transaction, userId: string): Promise<boolean> {
  const rows = await tx`select 1 from users where id = ${userId} and two_factor_enabled`;
  return rows.length > 0;
}

async function requireEnabled(tx: Transaction, userId: string): Promise<void> {
  if (!(await isEnabled(tx, userId))) {
    throw preconditionFailed('two_factor_not_enabled', 'Two-factor authentication is not enabled.');
  }
}

async function writeRecoveryCodes(tx: Transaction, deps: Deps, userId: string): Promise<string[]> {
  const codes = Array.from({ length: RECOVERY_CODES }, () =>
    randomSuffix(CODE_LENGTH).replace(/^(.{5})/, '$1-'),
  );
  await tx`delete from recovery_codes where user_id = ${userId}`;
  await tx`insert into recovery_codes ${tx(
    codes.map((code) => ({
      id: newId(),
      userId,
      codeHash: hashRecoveryCode(deps, userId, code),
      createdAt: deps.now(),
    })),
  )}`;
  return codes;
}

/** Runs a change that needs the password, under the user's lock, with its audit row. */
async function withPassword<T>(
  deps: Deps,
  principal: Principal,
  password: string,
  action: string,
  change: (tx: Transaction) => Promise<T>,
): Promise<T> {
  const hash = await requireCurrentPassword(deps, principal.userId, password, 'password');
  return deps.db.transaction(async (tx) => {
    await lockUser(tx, principal.userId);
    await requireSameHash(tx, principal.userId, hash, 'password');
    const result = await change(tx);
    await audit(tx, deps, principal, action);
    return result;
  });
}

const audit = (tx: Transaction, deps: Deps, principal: Principal, action: string) =>
  record(tx, principal, deps.now(), {
    organizationId: null,
    action,
    resourceType: 'twoFactor',
    resourceId: principal.userId,
  });

function tell(
  tx: Transaction,
  deps: Deps,
  principal: Principal,
  kind: 'twoFactorEnabled' | 'twoFactorDisabled',
) {
  const now = deps.now();
  return enqueue(tx, 'mail.notice', { to: principal.email, notice: { kind, at: now.toISOString() } }, now);
}

/**
 * Begins to enrol an authenticator app: a new secret and new recovery codes, of no effect until `confirmTwoFactor`.
 *
 * @throws BAD_REQUEST for a wrong password; PRECONDITION_FAILED while a second factor is in force.
 */
export const enrolTwoFactor = (deps: Deps, principal: Principal, password: string): Promise<Enrolment> =>
  withPassword(deps, principal, password, 'enrol', async (tx) => {
    const { userId } = principal;
    if (await isEnabled(tx, userId)) {
      throw preconditionFailed(
        'two_factor_enabled',
        'Two-factor authentication is enabled. Disable it first.',
      );
    }
    const secret = newTotpSecret();
    const row = {
      userId,
      secret: encryptText(deps.rules.secret, ENCRYPTION_PURPOSE, userId, secret),
      lastStep: null,
      confirmedAt: null,
      createdAt: deps.now(),
    };
    await tx`delete from two_factors where user_id = ${userId}`;
    await tx`insert into two_factors ${tx(row)}`;
    const backupCodes = await writeRecoveryCodes(tx, deps, userId);
    return { totpURI: totpUri(secret, principal.email), backupCodes };
  });

/**
 * Puts the second factor in force by its first code. Other sessions, which were opened without one, end.
 *
 * @throws BAD_REQUEST for a wrong code, or when no enrolment was begun; PRECONDITION_FAILED when it is in force.
 */
export function confirmTwoFactor(deps: Deps, principal: Principal, code: string): Promise<void> {
  const { userId } = principal;
  return deps.db.transaction(async (tx) => {
    await lockUser(tx, userId);
    if (await isEnabled(tx, userId)) {
      throw preconditionFailed('two_factor_enabled', 'Two-factor authentication is enabled already.');
    }
    if (!(await spendTotp(tx, deps, userId, code))) {
      throw badRequest('code', 'invalid_code', 'This code is wrong, used or too old.');
    }
    const now = deps.now();
    await tx`update two_factors set confirmed_at = ${now} where user_id = ${userId}`;
    await tx`update users set two_factor_enabled = true, updated_at = ${now} where id = ${userId}`;
    await endSessions(tx, userId, principal.sessionId);
    await audit(tx, deps, principal, 'enable');
    await tell(tx, deps, principal, 'twoFactorEnabled');
  });
}

/** @throws BAD_REQUEST for a wrong password; PRECONDITION_FAILED when there is no second factor in force. */
export const disableTwoFactor = (deps: Deps, principal: Principal, password: string): Promise<void> =>
  withPassword(deps, principal, password, 'disable', async (tx) => {
    const { userId } = principal;
    await requireEnabled(tx, userId);
    await tx`delete from two_factors where user_id = ${userId}`;
    await tx`delete from recovery_codes where user_id = ${userId}`;
    await tx`update users set two_factor_enabled = false, updated_at = ${deps.now()} where id = ${userId}`;
    await tell(tx, deps, principal, 'twoFactorDisabled');
  });

/** New recovery codes; the ones before are worth nothing any more. @throws as disableTwoFactor. */
export const renewRecoveryCodes = (deps: Deps, principal: Principal, password: string): Promise<string[]> =>
  withPassword(deps, principal, password, 'renewRecoveryCodes', async (tx) => {
    await requireEnabled(tx, principal.userId);
    return writeRecoveryCodes(tx, deps, principal.userId);
  });
