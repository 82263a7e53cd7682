import { notFound } from '../../kernel/errors.ts';
import { canOnPlatform } from '../../kernel/permissions.ts';
import { type ApiKey, listApiKeys } from '../api-key/index.ts';
import type { Deps } from '../deps.ts';
import type { OwnMembership } from '../organization/index.ts';
import { activeWith, isLimited, type Principal } from '../principal.ts';
import {
  type Account,
  type PrivateProfile,
  type Profile,
  type ProfileRow,
  profileColumns,
  toAccount,
  toProfile,
} from './profile.ts';

export type VisibleProfile = Profile & Partial<PrivateProfile>;
export type MemberWithUser = OwnMembership & { user: VisibleProfile & { apiKeys: ApiKey[] } };

/** The caller's own account. One statement. @throws NOT_FOUND when it was deleted a moment ago. */
export async function ownAccount(deps: Deps, principal: Principal): Promise<Account> {
  const [row] = await deps.db.query(
    (sql) => sql<ProfileRow[]>`
      select ${profileColumns(sql, deps.now())} from users u where u.id = ${principal.userId}`,
  );
  if (row === undefined) throw notFound('User');
  return toAccount(deps, row);
}

/**
 * A profile, by the account's id or its address: one's own (`me`), one of a member of the active organization for whoever
 * may read members there, or any for platform staff. Members see nothing private of each other, limited API keys nothing
 * private of anybody.
 *
 * @throws NOT_FOUND alike for everybody else.
 */
export async function oneUser(deps: Deps, principal: Principal, account: string): Promise<VisibleProfile> {
  const named = account === 'me' ? principal.userId : account;
  const isWhole = !isLimited(principal.key);
  const isStaff = isWhole && canOnPlatform(principal.platformRole, 'user.readAny');
  const organizationId = activeWith(principal, 'member:read')?.organizationId ?? null;
  const [row] = await deps.db.query(
    (sql) => sql<ProfileRow[]>`
      select ${profileColumns(sql, deps.now())} from users u
      where ${named.includes('@') ? sql`u.email` : sql`u.id`} = ${named}
        and (${isStaff} or u.id = ${principal.userId} or exists (
          select 1 from memberships m where m.user_id = u.id and m.organization_id = ${organizationId}))`,
  );
  if (row === undefined) throw notFound('User');
  return isStaff || (isWhole && row.id === principal.userId) ? toAccount(deps, row) : toProfile(deps, row);
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
