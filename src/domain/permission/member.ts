import { notFound } from '../../kernel/errors.ts';
import { type Permission, type Role, type RoleGrant, roleOf } from '../../kernel/permissions.ts';
import type { Deps } from '../deps.ts';
import { customPermissions } from '../organization/index.ts';

/** What decides over a member at this moment. */
export type MemberState = { grant: RoleGrant; suspended: boolean; organizationActive: boolean };

/** @throws NOT_FOUND alike for who is no member and for accounts that there are not. */
export async function memberState(deps: Deps, organizationId: string, userId: string): Promise<MemberState> {
  type Row = Omit<MemberState, 'grant'> & { role: Role; custom: Permission[] | null };
  const [row] = await deps.db.query(
    (sql) => sql<Row[]>`
      select m.role, ${customPermissions(sql)} as custom, u.suspended_at is not null as suspended,
        o.active as organization_active
      from memberships m join users u on u.id = m.user_id join organizations o on o.id = m.organization_id
      where m.organization_id = ${organizationId} and m.user_id = ${userId}`,
  );
  if (row === undefined) throw notFound('Member');
  const { role, custom, ...state } = row;
  return { ...state, grant: roleOf(role, custom) };
}
