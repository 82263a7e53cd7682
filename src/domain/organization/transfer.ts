import type { Transaction } from '../../db/client.ts';
import { forbidden, notFound, preconditionFailed } from '../../kernel/errors.ts';
import type { PlatformRole, Role } from '../../kernel/permissions.ts';
import { record } from '../audit/index.ts';
import type { Deps } from '../deps.ts';
import { requireCurrentPassword, requireSameHash } from '../password/index.ts';
import type { OrganizationActor } from '../principal.ts';
import { tierOf } from '../tier/index.ts';
import { lockUsers } from '../user-lock.ts';
import { inOrganization } from './actor.ts';
import { requireRoom } from './create.ts';
import { type Organization, toOrganization } from './row.ts';

type Heir = {
  userId: string;
  role: Role;
  email: string;
  platformRole: PlatformRole;
  emailVerified: boolean;
  suspended: boolean;
};

const NEW_OWNER_LACKS = {
  unverified: 'has not proved the e-mail address yet',
  suspended: 'is suspended',
};
function requireReachable(heir: Heir): void {
  const lack = heir.suspended ? 'suspended' : heir.emailVerified ? undefined : 'unverified';
  if (lack === undefined) return;
  throw preconditionFailed(`new_owner_${lack}`, `The new owner ${NEW_OWNER_LACKS[lack]}.`);
}

/** Both owners' rows, the old one's and the new one's, before the organization's; with `hash` still the password. */
async function lockOwners(
  tx: Transaction,
  actor: OrganizationActor,
  memberId: string,
  hash: string,
): Promise<void> {
  const { userId } = actor.principal;
  const [heir] = await tx<{ userId: string }[]>`
    select user_id from memberships where id = ${memberId} and organization_id = ${actor.organizationId}`;
  await lockUsers(tx, [userId, ...(heir === undefined ? [] : [heir.userId])]);
  await requireSameHash(tx, userId, hash, 'currentPassword');
}

/**
 * Makes another member the owner and the owner an admin. The database holds that there is exactly one: it allows no
 * second one in between, and none missing at the commit.
 *
 * @throws BAD_REQUEST without the owner's current password; NOT_FOUND for who is no member; FORBIDDEN for everybody but
 *   the owner, and for the owner as the new one; PRECONDITION_FAILED when the new owner has not proved the address, is
 *   suspended, or owns as many organizations as one may.
 */
export async function transferOwnership(
  deps: Deps,
  actor: OrganizationActor,
  memberId: string,
  currentPassword: string,
): Promise<Organization> {
  const { userId } = actor.principal;
  const hash = await requireCurrentPassword(deps, userId, currentPassword, 'currentPassword');
  return inOrganization(
    deps,
    actor,
    async (tx, organization, current) => {
      if (organization.ownerId !== userId) {
        throw forbidden('owner_only', 'Only the owner can transfer an organization.');
      }
      const [heir] = await tx<Heir[]>`
        select m.user_id, m.role, u.email, u.role as platform_role, u.email_verified,
          u.suspended_at is not null as suspended
        from memberships m join users u on u.id = m.user_id
        where m.id = ${memberId} and m.organization_id = ${organization.id}`;
      if (heir === undefined) throw notFound('Member');
      if (memberId === current.memberId) {
        throw forbidden('own_membership', 'You own this organization already.');
      }
      requireReachable(heir);
      await requireRoom(tx, deps, heir.userId, heir.platformRole);

      const now = deps.now();
      const changes = { ownerId: heir.userId, updatedAt: now };
      await tx`update memberships set role = 'admin' where id = ${current.memberId}`;
      await tx`update memberships set role = 'owner' where id = ${memberId}`;
      await tx`update organizations set ${tx(changes)} where id = ${organization.id}`;
      await record(tx, current.principal, now, {
        organizationId: organization.id,
        role: current.role,
        action: 'transferOwnership',
        resourceType: 'organization',
        resourceId: organization.id,
        resourceName: organization.name,
        before: { ownerId: userId },
        after: { ownerId: heir.userId, email: heir.email, formerRole: heir.role },
      });
      const tier = await tierOf(tx, organization.id, now);
      return toOrganization(deps.rules, { ...organization, ...changes }, 'admin', tier);
    },
    { before: (tx) => lockOwners(tx, actor, memberId, hash) },
  );
}
