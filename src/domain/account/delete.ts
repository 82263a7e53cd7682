import { allowTime, type Transaction } from '../../db/client.ts';
import { forbidden, notFound, preconditionFailed, unauthorized } from '../../kernel/errors.ts';
import { canOnPlatform, outranksOnPlatform, type PlatformRole, type Role } from '../../kernel/permissions.ts';
import { record } from '../audit/index.ts';
import { releaseAvatar } from '../avatar/index.ts';
import type { Deps } from '../deps.ts';
import { enqueue } from '../job/index.ts';
import { describeRunning, dropOrganization, runningColumns } from '../organization/index.ts';
import { requireSameHash } from '../password/index.ts';
import type { Principal } from '../principal.ts';

const MAX_NAMED = 20;

type LockedAccount = {
  id: string;
  email: string;
  name: string;
  role: PlatformRole;
  avatarHash: string | null;
};
type Owned = {
  id: string;
  name: string;
  handle: string;
  ownerId: string;
  avatarHash: string | null;
  members: number;
  /** What it runs, in words. */
  running: string;
};

/**
 * Holds the caller's and the target's rows, and those of every rootAdmin when one of them goes: of two that leave at
 * once the second one sees that he is the last.
 */
async function lockAccounts(tx: Transaction, principal: Principal, userId: string): Promise<LockedAccount> {
  const lastMayLeave = principal.userId === userId && principal.platformRole === 'rootAdmin';
  const locked = await tx<LockedAccount[]>`
    select id, email, name, role, avatar_hash from users
    where id = ${userId} or id = ${principal.userId} or (${lastMayLeave} and role = 'rootAdmin')
    order by id for no key update`;
  const caller = locked.find(({ id }) => id === principal.userId);
  if (caller === undefined) throw unauthorized('account_gone', 'This account no longer exists.');
  const target = locked.find(({ id }) => id === userId);
  if (target === undefined) throw notFound('User');
  if (target !== caller && !canOnPlatform(caller.role, 'user.delete')) throw notFound('User');
  if (target !== caller && !outranksOnPlatform(caller.role, target.role)) {
    throw forbidden('rank_too_low', 'You can only remove accounts of a lower platform role than your own.');
  }
  if (target.role === 'rootAdmin' && locked.filter(({ role }) => role === 'rootAdmin').length < 2) {
    throw preconditionFailed(
      'last_root_admin',
      'The last rootAdmin of an installation cannot be removed. Make another one first.',
    );
  }
  return target;
}

/** The organizations of an account, all of its organizations being held from here on. */
async function lockOwned(tx: Transaction, userId: string): Promise<Owned[]> {
  await tx`
    select 1 from organizations where id in (select organization_id from memberships where user_id = ${userId})
    order by id for no key update`;
  const rows = await tx<(Omit<Owned, 'running'> & Parameters<typeof describeRunning>[0])[]>`
    select o.id, o.name, o.handle, o.owner_id, o.avatar_hash,
      (select count(*) from memberships m where m.organization_id = o.id) as members, ${runningColumns(tx)}
    from organizations o where o.owner_id = ${userId} order by o.id`;
  return rows.map((row) => ({ ...row, running: describeRunning(row) }));
}

function requireFree(owned: Owned[], deleteOrganizations: boolean): void {
  const kept = deleteOrganizations
    ? owned.filter(({ members, running }) => members > 1 || running !== '')
    : owned;
  if (kept.length === 0) return;
  const named = kept
    .slice(0, MAX_NAMED)
    .map(({ name, id, running }) => `${name} (${running === '' ? id : `${id}, with ${running}`})`);
  const more = kept.length > MAX_NAMED ? ` and ${kept.length - MAX_NAMED} more` : '';
  const way = deleteOrganizations
    ? 'They have other members, or run something: transfer or delete them first.'
    : 'Transfer or delete them first, or send deleteOrganizations for those without other members.';
  throw preconditionFailed(
    'owns_organizations',
    `The account owns ${kept.length} organization${kept.length === 1 ? '' : 's'}: ${named.join(', ')}${more}. ${way}`,
  );
}

type Left = {
  id: string;
  organizationId: string;
  organizationName: string;
  role: Role;
  /** Those that the account had sent, and that somebody could still have accepted. */
  invitations: { id: string; email: string; role: Role }[];
};

/** Ends all memberships of an account, and its open invitations. In the order of the organizations' ids. */
const leaveAll = (tx: Transaction, userId: string, now: Date): Promise<Left[]> => tx<Left[]>`
  with gone as (delete from memberships where user_id = ${userId} returning id, organization_id, role),
    fallen as (
      delete from invitations where inviter_id = ${userId} and status = 'pending' and expires_at > ${now}
      returning id, organization_id, email, role),
    lists as (
      select organization_id, jsonb_agg(jsonb_build_object('id', id, 'email', email, 'role', role) order by id) as invitations
      from fallen group by organization_id)
  select g.id, g.organization_id, o.name as organization_name, g.role, coalesce(l.invitations, '[]') as invitations
  from gone g join organizations o on o.id = g.organization_id left join lists l using (organization_id)
  order by g.organization_id`;

/** Tells an organization that a member is gone with his account. */
async function recordLeft(
  tx: Transaction,
  principal: Principal,
  now: Date,
  target: LockedAccount,
  left: Left,
) {
  const isSelf = target.id === principal.userId;
  const { organizationId } = left;
  const event = { organizationId, role: isSelf ? left.role : principal.platformRole };
  await record(tx, principal, now, {
    ...event,
    action: isSelf ? 'leave' : 'delete',
    resourceType: 'member',
    resourceId: left.id,
    resourceName: target.email,
    before: { userId: target.id, role: left.role },
  });
  if (left.invitations.length === 0) return;
  await record(tx, principal, now, {
    ...event,
    action: 'deleteMany',
    resourceType: 'invitation',
    resourceId: organizationId,
    resourceName: left.organizationName,
    before: { invitations: left.invitations },
  });
}

/**
 * Deletes an account with its sessions, keys, memberships and the invitations that it has sent; the audit trail
 * stays, every organization that goes on without it has its row there, and the holder is told. With
 * `deleteOrganizations`, organizations that nobody else belongs to go in the same transaction.
 *
 * @param options.currentHash of the password that was given for one's own account
 * @throws NOT_FOUND for an unknown account; FORBIDDEN for an equal or higher platform role; BAD_REQUEST when the password
 *   was changed meanwhile; PRECONDITION_FAILED while it owns organizations, and for the last rootAdmin.
 */
export function deleteAccount(
  deps: Deps,
  principal: Principal,
  userId: string,
  { deleteOrganizations, currentHash }: { deleteOrganizations: boolean; currentHash?: string },
): Promise<void> {
  return deps.db.transaction(async (tx) => {
    const target = await lockAccounts(tx, principal, userId);
    if (currentHash !== undefined) await requireSameHash(tx, userId, currentHash, 'currentPassword');
    const owned = await lockOwned(tx, userId);
    requireFree(owned, deleteOrganizations);
    const role = userId === principal.userId ? 'owner' : principal.platformRole;
    for (const organization of owned) await dropOrganization(tx, deps, principal, role, organization);
    const now = deps.now();
    await allowTime(tx);
    const left = await leaveAll(tx, userId, now);
    await tx`delete from users where id = ${userId}`;
    await releaseAvatar(tx, deps, target.avatarHash);
    for (const each of left) await recordLeft(tx, principal, now, target, each);
    const notice = { kind: 'deleted' as const, at: now.toISOString() };
    await enqueue(tx, 'mail.notice', { to: target.email, notice }, now);
    const memberships = left.map(({ organizationId, role }) => ({ organizationId, role }));
    await record(tx, principal, now, {
      organizationId: null,
      role: principal.platformRole,
      action: 'delete',
      resourceType: 'user',
      resourceId: userId,
      resourceName: target.email,
      before: { email: target.email, name: target.name, role: target.role, memberships },
    });
  });
}
