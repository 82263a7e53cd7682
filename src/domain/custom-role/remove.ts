import { preconditionFailed } from '../../kernel/errors.ts';
import type { Role } from '../../kernel/permissions.ts';
import { record } from '../audit/index.ts';
import type { Deps } from '../deps.ts';
import { inOrganization } from '../organization/index.ts';
import type { OrganizationActor } from '../principal.ts';
import { described, requireCustomRole } from './row.ts';

/** In words, such as `2 members, 1 open invitation`; empty when nothing names the role. */
function usesInWords(members: number, invitations: number, isDefault: boolean): string {
  const counted = (count: number, what: string) =>
    count === 0 ? [] : [`${count} ${what}${count === 1 ? '' : 's'}`];
  return [
    ...counted(members, 'member'),
    ...counted(invitations, 'open invitation'),
    ...(isDefault ? ['the default role for invitations'] : []),
  ].join(', ');
}

/**
 * Removes a role that nobody has. Invitations to it that have expired cannot be sent again afterwards.
 *
 * @throws NOT_FOUND when there is no such role; PRECONDITION_FAILED while members, open invitations or the default
 *   role name it.
 */
export function removeCustomRole(deps: Deps, actor: OrganizationActor, roleName: Role): Promise<void> {
  return inOrganization(deps, actor, async (tx, organization, current) => {
    const row = await requireCustomRole(tx, organization.id, roleName);
    const now = deps.now();
    const [use] = await tx<{ members: number; invitations: number }[]>`
      select
        (select count(*) from memberships where organization_id = ${organization.id} and role = ${row.name}) as members,
        (select count(*) from invitations where organization_id = ${organization.id} and role = ${row.name}
          and status = 'pending' and expires_at > ${now}) as invitations`;
    const uses = usesInWords(use?.members ?? 0, use?.invitations ?? 0, organization.defaultRole === row.name);
    if (uses !== '') throw preconditionFailed('role_in_use', `This role is in use: ${uses}.`);
    await tx`update invitations set status = 'expired'
      where organization_id = ${organization.id} and role = ${row.name} and status = 'pending'`;
    await tx`delete from custom_roles where id = ${row.id}`;
    await record(tx, current.principal, now, {
      organizationId: organization.id,
      role: current.role,
      action: 'delete',
      resourceType: 'customRole',
      resourceId: row.id,
      resourceName: row.name,
      before: described(row),
    });
  });
}
