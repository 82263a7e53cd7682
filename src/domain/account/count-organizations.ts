import { notFound } from '../../kernel/errors.ts';
import { canOnPlatform } from '../../kernel/permissions.ts';
import type { Deps } from '../deps.ts';
import { activeWith, type Principal } from '../principal.ts';

/**
 * How many organizations an account belongs to, as far as the caller may know: all of one's own and, for platform
 * staff, of anybody; of a member of the active organization those that the caller belongs to as well.
 *
 * @throws NOT_FOUND alike for everybody else.
 */
export async function countOrganizations(deps: Deps, principal: Principal, userId: string): Promise<number> {
  const id = userId === 'me' ? principal.userId : userId;
  const all = id === principal.userId || canOnPlatform(principal.platformRole, 'user.readAny');
  const organizationId = activeWith(principal, 'member:read')?.organizationId ?? null;
  const [row] = await deps.db.query(
    (sql) => sql<{ organizations: number }[]>`
      select count(m.id) as organizations
      from users u left join memberships m on m.user_id = u.id and (${all} or exists (
        select 1 from memberships own
        where own.user_id = ${principal.userId} and own.organization_id = m.organization_id))
      where u.id = ${id} and (${all} or exists (
        select 1 from memberships shared where shared.user_id = u.id and shared.organization_id = ${organizationId}))
      group by u.id`,
  );
  if (row === undefined) throw notFound('User');
  return row.organizations;
}
