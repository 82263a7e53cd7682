import type { Transaction } from '../../db/client.ts';
import { forbidden, notFound, preconditionFailed } from '../../kernel/errors.ts';
import {
  canOnPlatform,
  outranksOnPlatform,
  type PlatformRight,
  type PlatformRole,
} from '../../kernel/permissions.ts';
import { record } from '../audit/index.ts';
import type { Deps } from '../deps.ts';
import { enqueue } from '../job/index.ts';
import type { Principal } from '../principal.ts';
import { endSessions } from '../session/index.ts';
import { type Account, type ProfileRow, profileColumns, toAccount } from './profile.ts';

/**
 * Holds the caller's and the target's rows, the roles read under the locks. The rule of ranks is kept here: nobody acts
 * on an equal or higher platform role, himself included.
 */
async function lockTarget(
  tx: Transaction,
  deps: Deps,
  principal: Principal,
  userId: string,
  right: PlatformRight,
): Promise<{ caller: ProfileRow; target: ProfileRow }> {
  await tx`select 1 from users where id in (${principal.userId}, ${userId}) order by id for no key update`;
  const rows = await tx<ProfileRow[]>`
    select ${profileColumns(tx, deps.now())} from users u where u.id in (${principal.userId}, ${userId})`;
  const caller = rows.find(({ id }) => id === principal.userId);
  const target = rows.find(({ id }) => id === userId);
  if (caller === undefined || !canOnPlatform(caller.role, right)) {
    throw forbidden('platform_right_missing', `You need the platform right ${right} for this.`);
  }
  if (target === undefined) throw notFound('User');
  if (!outranksOnPlatform(caller.role, target.role)) {
    throw forbidden('rank_too_low', 'You can only act on accounts of a lower platform role than your own.');
  }
  return { caller, target };
}

/** Writes the change of an account by staff, with its audit row. */
async function write(
  tx: Transaction,
  deps: Deps,
  principal: Principal,
  target: ProfileRow,
  action: string,
  after: { suspendedAt: Date | null; suspensionReason: string | null } | { role: PlatformRole },
): Promise<Account> {
  const now = deps.now();
  await tx`update users set ${tx({ ...after, updatedAt: now })} where id = ${target.id}`;
  const { role, suspendedAt, suspensionReason } = target;
  await record(tx, principal, now, {
    organizationId: null,
    role: principal.platformRole,
    action,
    resourceType: 'user',
    resourceId: target.id,
    resourceName: target.email,
    before: 'role' in after ? { role } : { suspendedAt, suspensionReason },
    after,
  });
  return toAccount(deps, { ...target, ...after, updatedAt: now });
}

/**
 * Refuses every credential of an account from now on: its sessions end, its keys and the invitations that it has sent rest
 * until `unsuspendUser`. The holder is told, with the reason.
 *
 * @throws NOT_FOUND for an unknown account; FORBIDDEN for an equal or higher platform role; PRECONDITION_FAILED when it
 *   is suspended already.
 */
export function suspendUser(
  deps: Deps,
  principal: Principal,
  userId: string,
  reason: string | null,
): Promise<Account> {
  return deps.db.transaction(async (tx) => {
    const { target } = await lockTarget(tx, deps, principal, userId, 'user.suspend');
    if (target.suspendedAt !== null) {
      throw preconditionFailed('already_suspended', 'This account is suspended already.');
    }
    const now = deps.now();
    await endSessions(tx, userId, null);
    await tx`delete from email_tokens where user_id = ${userId}`;
    const notice = { kind: 'suspended' as const, at: now.toISOString(), reason };
    await enqueue(tx, 'mail.notice', { to: target.email, notice }, now);
    const after = { suspendedAt: now, suspensionReason: reason };
    return write(tx, deps, principal, target, 'suspend', after);
  });
}

/** Lifts a suspension: keys and invitations work again, sessions have to be opened anew. @throws as suspendUser */
export function unsuspendUser(deps: Deps, principal: Principal, userId: string): Promise<Account> {
  return deps.db.transaction(async (tx) => {
    const { target } = await lockTarget(tx, deps, principal, userId, 'user.suspend');
    if (target.suspendedAt === null) {
      throw preconditionFailed('not_suspended', 'This account is not suspended.');
    }
    const now = deps.now();
    const notice = { kind: 'unsuspended' as const, at: now.toISOString() };
    await enqueue(tx, 'mail.notice', { to: target.email, notice }, now);
    return write(tx, deps, principal, target, 'unsuspend', { suspendedAt: null, suspensionReason: null });
  });
}

/**
 * Gives an account another platform role, below the caller's own. A rootAdmin is made on the command line only.
 *
 * @throws NOT_FOUND for an unknown account; FORBIDDEN for an equal or higher role, had or given.
 */
export function setPlatformRole(
  deps: Deps,
  principal: Principal,
  userId: string,
  role: PlatformRole,
): Promise<Account> {
  return deps.db.transaction(async (tx) => {
    const { caller, target } = await lockTarget(tx, deps, principal, userId, 'user.setPlatformRole');
    if (!outranksOnPlatform(caller.role, role)) {
      throw forbidden('rank_too_low', 'You can only give platform roles below your own.');
    }
    return write(tx, deps, principal, target, 'setPlatformRole', { role });
  });
}
