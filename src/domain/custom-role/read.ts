import { NIL } from 'uuid';
import { notFound } from '../../kernel/errors.ts';
import type { Role } from '../../kernel/permissions.ts';
import type { Deps } from '../deps.ts';
import { findRole } from '../organization/index.ts';
import type { OrganizationActor } from '../principal.ts';
import { type CustomRole, type CustomRoleRow, toCustomRole } from './row.ts';

/** The roles that an organization has made, which are few, oldest first, with how many members have each. */
export async function listCustomRoles(
  deps: Deps,
  actor: OrganizationActor,
): Promise<(CustomRole & { memberCount: number })[]> {
  const rows = await deps.db.query(
    (sql) => sql<(CustomRoleRow & { memberCount: number })[]>`
      select r.*, (
        select count(*) from memberships m where m.organization_id = r.organization_id and m.role = r.name) as member_count
      from custom_roles r where r.organization_id = ${actor.organizationId} order by r.id`,
  );
  return rows.map(({ memberCount, ...row }) => ({ ...toCustomRole(row), memberCount }));
}

/** A member as a list of a role's holders shows him. */
export type RoleHolder = { id: string; userId: string; email: string; firstName: string; lastName: string };

/** Who has a role, built-in or custom, in the order in which they joined. @throws NOT_FOUND for an unknown role. */
export async function listRoleHolders(
  deps: Deps,
  { organizationId }: OrganizationActor,
  roleName: Role,
  page: { limit: number; cursor: string | null },
): Promise<RoleHolder[]> {
  return deps.db.query(async (sql) => {
    if ((await findRole(sql, organizationId, roleName)) === null) throw notFound('Role');
    return sql<RoleHolder[]>`
      select m.id, m.user_id, u.email, u.first_name, u.last_name
      from memberships m join users u on u.id = m.user_id
      where m.organization_id = ${organizationId} and m.role = ${roleName}
        and m.id > ${page.cursor ?? NIL}
      order by m.id
      limit ${page.limit}`;
  });
}
