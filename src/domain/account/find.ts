import { notFound } from '../../kernel/errors.ts';
import type { PlatformRole, Role } from '../../kernel/permissions.ts';
import type { Deps } from '../deps.ts';
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
  };
  const [row] = await deps.db.query(
    (sql) => sql<Row[]>`
      select u.id as user_id, u.email_verified, u.role as platform_role, m.id as member_id, m.organization_id, m.role
      from users u left join memberships m on m.user_id = u.id
      where u.email = ${email}
      order by m.is_default desc, m.organization_id
      limit 1`,
  );
  if (row === undefined) throw notFound('User');
  const { userId, emailVerified, platformRole, memberId, organizationId, role } = row;
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
        : { memberId, organizationId, role },
    ipAddress: null,
    userAgent: null,
    requestId: null,
  };
}
