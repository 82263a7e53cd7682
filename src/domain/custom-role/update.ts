import { allowTime, type Transaction } from '../../db/client.ts';
import { forbidden } from '../../kernel/errors.ts';
import { outranks, type Permission, type Role } from '../../kernel/permissions.ts';
import { record } from '../audit/index.ts';
import type { Deps } from '../deps.ts';
import { inOrganization } from '../organization/index.ts';
import type { OrganizationActor } from '../principal.ts';
import {
  type CustomRole,
  type CustomRoleRow,
  described,
  requireCustomRole,
  requireFreeName,
  requireHeld,
  toCustomRole,
} from './row.ts';

/** To change a role is to act on whoever has it: among them may be the actor himself, and his equals. */
async function requireRank(tx: Transaction, actor: OrganizationActor, role: CustomRoleRow): Promise<void> {
  if (outranks(actor.role, role.name)) return;
  const holders = await tx`
    select 1 from memberships where organization_id = ${role.organizationId} and role = ${role.name} limit 1`;
  if (holders.length > 0) {
    throw forbidden('rank_too_low', 'You can only change the role of members of a lower rank than your own.');
  }
}

/** Everything that names a role follows it; closed invitations too, so that they read as the others do. */
async function carry(tx: Transaction, organizationId: string, from: Role, to: Role): Promise<void> {
  await allowTime(tx);
  await tx`update memberships set role = ${to} where organization_id = ${organizationId} and role = ${from}`;
  await tx`update invitations set role = ${to} where organization_id = ${organizationId} and role = ${from}`;
  await tx`update organizations set default_role = ${to}
    where id = ${organizationId} and default_role = ${from}`;
}

/**
 * Gives a role other rights, and another name where `newRoleName` is one. Its holders have them from the next request
 * on; members, invitations and the default role follow the name in the same transaction.
 *
 * @throws NOT_FOUND when there is no such role; FORBIDDEN for a right that the actor lacks and the role has or shall
 *   have, and for a role that somebody of the actor's own rank has; CONFLICT when the new name is taken.
 */
export function updateCustomRole(
  deps: Deps,
  actor: OrganizationActor,
  input: { roleName: Role; newRoleName?: Role | undefined; permissions: Permission[] },
): Promise<CustomRole> {
  return inOrganization(deps, actor, async (tx, organization, current) => {
    const before = await requireCustomRole(tx, organization.id, input.roleName);
    await requireRank(tx, current, before);
    requireHeld(current, before.permissions);
    requireHeld(current, input.permissions);
    const after: CustomRoleRow = {
      ...before,
      name: input.newRoleName ?? before.name,
      permissions: input.permissions,
      updatedAt: deps.now(),
    };
    await requireFreeName(tx, organization.id, after, 'newRoleName');
    await tx`update custom_roles set ${tx({
      name: after.name,
      permissions: tx.json(after.permissions),
      updatedAt: after.updatedAt,
    })} where id = ${after.id}`;
    if (after.name !== before.name) await carry(tx, organization.id, before.name, after.name);
    await record(tx, current.principal, after.updatedAt, {
      organizationId: organization.id,
      role: current.role,
      action: 'update',
      resourceType: 'customRole',
      resourceId: after.id,
      resourceName: after.name,
      before: described(before),
      after: described(after),
    });
    return toCustomRole(after);
  });
}
