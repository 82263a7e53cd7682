import { preconditionFailed } from '../../kernel/errors.ts';
import { newId } from '../../kernel/ids.ts';
import type { Permission, Role } from '../../kernel/permissions.ts';
import { record } from '../audit/index.ts';
import type { Deps } from '../deps.ts';
import { inOrganization } from '../organization/index.ts';
import type { OrganizationActor } from '../principal.ts';
import {
  type CustomRole,
  type CustomRoleRow,
  described,
  requireFreeName,
  requireHeld,
  toCustomRole,
} from './row.ts';

const MAX_ROLES_PER_ORGANIZATION = 10;

/**
 * Makes a role.
 *
 * @throws FORBIDDEN for a right that the actor lacks; CONFLICT when there is a role of this name;
 *   PRECONDITION_FAILED at the limit of roles.
 */
export function createCustomRole(
  deps: Deps,
  actor: OrganizationActor,
  input: { roleName: Role; permissions: Permission[] },
): Promise<CustomRole> {
  return inOrganization(deps, actor, async (tx, organization, current) => {
    requireHeld(current, input.permissions);
    const now = deps.now();
    const row: CustomRoleRow = {
      id: newId(),
      organizationId: organization.id,
      name: input.roleName,
      permissions: input.permissions,
      createdAt: now,
      updatedAt: now,
    };
    await requireFreeName(tx, organization.id, row, 'roleName');
    const [count] = await tx<{ roles: number }[]>`
      select count(*) as roles from custom_roles where organization_id = ${organization.id}`;
    if (count !== undefined && count.roles >= MAX_ROLES_PER_ORGANIZATION) {
      throw preconditionFailed(
        'too_many_custom_roles',
        `An organization has at most ${MAX_ROLES_PER_ORGANIZATION} roles of its own.`,
      );
    }
    await tx`insert into custom_roles ${tx({ ...row, permissions: tx.json(row.permissions) })}`;
    await record(tx, current.principal, now, {
      organizationId: organization.id,
      role: current.role,
      action: 'create',
      resourceType: 'customRole',
      resourceId: row.id,
      resourceName: row.name,
      after: described(row),
    });
    return toCustomRole(row);
  });
}
