import type { users } from '../../db/schema/index.ts';
import { notFound } from '../../kernel/errors.ts';
import { canOnPlatform } from '../../kernel/permissions.ts';
import type { ApiKey } from '../api-key/index.ts';
import { listApiKeys } from '../api-key/index.ts';
import type { Deps } from '../deps.ts';
import type { OwnMembership } from '../organization/index.ts';
import { isLimited, type Principal } from '../principal.ts';

export type Profile = typeof users.$inferSelect;
export type MemberWithUser = OwnMembership & { user: Profile & { apiKeys: ApiKey[] } };

/**
 * A profile: one's own (`me`), one of a member of the active organization, or any for platform staff.
 *
 * @throws NOT_FOUND alike for everybody else.
 */
export async function oneUser(deps: Deps, principal: Principal, userId: string): Promise<Profile> {
  const id = userId === 'me' ? principal.userId : userId;
  const any = canOnPlatform(principal.platformRole, 'user.readAny') && !isLimited(principal.key);
  const organizationId = principal.active?.organizationId ?? null;
  const [row] = await deps.db.query(
    (sql) => sql<Profile[]>`
      select u.* from users u
      where u.id = ${id} and (${any} or u.id = ${principal.userId} or exists (
        select 1 from memberships m where m.user_id = u.id and m.organization_id = ${organizationId}))`,
  );
  if (row === undefined) throw notFound('User');
  return row;
}

/** The caller's membership of the active organization with the profile and the keys' descriptions. */
export async function ownMember(deps: Deps, principal: Principal): Promise<MemberWithUser> {
  const memberId = principal.active?.memberId;
  if (memberId === undefined) throw notFound('Member');
  const [member] = await deps.db.query(
    (sql) => sql<OwnMembership[]>`select * from memberships where id = ${memberId}`,
  );
  if (member === undefined) throw notFound('Member');
  const user = await oneUser(deps, principal, 'me');
  const apiKeys = await listApiKeys(deps, principal, { limit: 1000, cursor: null });
  return { ...member, user: { ...user, apiKeys } };
}
