import { forbidden, notFound, preconditionFailed } from '../../kernel/errors.ts';
import { outranks, type Role } from '../../kernel/permissions.ts';
import type { Deps } from '../deps.ts';
import { inOrganization } from '../organization/index.ts';
import type { OrganizationActor } from '../principal.ts';

/** Dokploy's flags that are on for everybody here: any account may make API keys and keep SSH keys of its own. */
const ON_FOR_EVERYBODY = new Set(['canAccessToAPI', 'canAccessToSSHKeys']);

/** Dokploy's rights of a single member: switches, and lists of what the member may reach. */
export type MemberFlags = Record<string, boolean | string[]>;

const isGivenAnyway = ([name, value]: [string, boolean | string[]]): boolean =>
  Array.isArray(value) ? value.length === 0 : value === ON_FOR_EVERYBODY.has(name);

/**
 * Dokploy's way to give rights to a single member. Here rights follow from the role, so flags are accepted when they
 * say what holds anyway, and nothing is written.
 *
 * @param id of the account or of the membership
 * @throws NOT_FOUND for who is no member; FORBIDDEN for oneself and for an equal or higher rank; PRECONDITION_FAILED
 *   for flags that would change what the member may do.
 */
export function assignPermissions(
  deps: Deps,
  actor: OrganizationActor,
  id: string,
  flags: MemberFlags,
): Promise<void> {
  return inOrganization(deps, actor, async (tx, organization, current) => {
    const [member] = await tx<{ id: string; role: Role }[]>`
      select id, role from memberships
      where organization_id = ${organization.id} and (user_id = ${id} or id = ${id})`;
    if (member === undefined) throw notFound('Member');
    if (!outranks(current.role, member.role)) {
      throw forbidden('rank_too_low', 'You can only change members of a lower rank than your own.');
    }
    const changed = Object.entries(flags).filter((flag) => !isGivenAnyway(flag));
    if (changed.length > 0) {
      throw preconditionFailed(
        'permissions_follow_role',
        `Rights follow from the role: change it with organization.updateMemberRole. Cannot set: ${changed.map(([name]) => name).join(', ')}.`,
      );
    }
  });
}
