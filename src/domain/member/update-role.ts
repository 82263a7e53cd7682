import { forbidden, notFound } from '../../kernel/errors.ts';
import { outranks, type Role } from '../../kernel/permissions.ts';
import { record } from '../audit/index.ts';
import type { Deps } from '../deps.ts';
import { inOrganization, requireGrantable } from '../organization/index.ts';
import type { OrganizationActor } from '../principal.ts';

/**
 * Gives a member another role.
 *
 * @throws BAD_REQUEST for a role that there is not; FORBIDDEN for one's own role, for members of an equal or higher rank
 *   (admins never on admins, nobody on the owner) and for a role above the actor's or with rights that he lacks, and
 *   for ownership always.
 */
export function updateMemberRole(
  deps: Deps,
  actor: OrganizationActor,
  memberId: string,
  role: Role,
): Promise<void> {
  return inOrganization(deps, actor, async (tx, organization, current) => {
    const [member] = await tx<{ userId: string; role: Role }[]>`
      select user_id, role from memberships where id = ${memberId} and organization_id = ${organization.id}`;
    if (member === undefined) throw notFound('Member');
    if (memberId === current.memberId) {
      throw forbidden('own_role', 'You cannot change your own role.');
    }
    if (!outranks(current.role, member.role)) {
      throw forbidden('rank_too_low', 'You can only change members of a lower rank than your own.');
    }
    await requireGrantable(tx, organization.id, current.grant, role);
    await tx`update memberships set role = ${role} where id = ${memberId}`;
    await record(tx, current.principal, deps.now(), {
      organizationId: organization.id,
      role: current.role,
      action: 'update',
      resourceType: 'member',
      resourceId: memberId,
      before: { userId: member.userId, role: member.role },
      after: { userId: member.userId, role },
    });
  });
}
