import { notFound } from '../../kernel/errors.ts';
import { type Permission, type PlatformRole, type Role, roleOf } from '../../kernel/permissions.ts';
import type { Deps } from '../deps.ts';
import { customPermissions } from '../organization/index.ts';
import type { Principal } from '../principal.ts';

/** An account as the operator acts for it, from the command line. @throws NOT_FOUND for an unknown address. */
export async function findPrincipal(deps: Deps, email: string): Promise<Principal> {
  type Row = {
    userId: string;
    emailVerified: boolean;
    platformRole: PlatformRole;
    memberId: string | null;
    organizationId: string | null;
    role: Role | null;
    custom: Permission[] | null;
  };
  const [row] = await deps.db.query(
    (sql) => sql<Row[]>`
      select u.id as user_id, u.email_verified, u.role as platform_role, m.id as member_id, m.organization_id, m.role,
        ${customPermissions(sql)} as custom
      from users u left join memberships m on m.user_id = u.id left join organizations o on o.id = m.organization_id
      where u.email = ${email}
      order by m.is_default desc, o.active desc, m.organization_id
      limit 1`,
  );
  if (row === undefined) throw notFound('User');
  const { userId, emailVerified, platformRole, memberId, organizationId, role, custom } = row;
  return {
    userId,
    email,
    emailVerified,
    platformRole,
    sessionId: null,
    key: null,
    active:
      memberId === null || organizationId === null || role === null
        ? null
        : { memberId, organizationId, role, grant: roleOf(role, custom) },
    place: null,
    settings: null,
    ipAddress: null,
    userAgent: null,
    requestId: null,
  };
}
