import { NIL } from 'uuid';
import type { users } from '../../db/schema/index.ts';
import { containing } from '../../kernel/like.ts';
import { avatarUrl } from '../avatar/index.ts';
import type { Deps } from '../deps.ts';
import type { OwnMembership } from '../organization/index.ts';
import type { OrganizationActor } from '../principal.ts';

/** What members of an organization see of one another. */
export type MemberUser = Pick<
  typeof users.$inferSelect,
  | 'id'
  | 'email'
  | 'emailVerified'
  | 'name'
  | 'firstName'
  | 'lastName'
  | 'displayName'
  | 'image'
  | 'role'
  | 'createdAt'
  | 'updatedAt'
> & { avatarUrl: string | null };

type Row = OwnMembership & {
  email: string;
  emailVerified: boolean;
  name: string;
  firstName: string;
  lastName: string;
  displayName: string | null;
  image: string | null;
  avatarHash: string | null;
  platformRole: MemberUser['role'];
  userCreatedAt: Date;
  userUpdatedAt: Date;
};

/**
 * The members of the actor's organization with their accounts, in the order in which they joined. One statement, which
 * reads the accounts of this organization's members and no others, also to search them: the offset keeps PostgreSQL from
 * reading all accounts there are where it thinks that cheaper.
 *
 * @param page `search` is a part of a name or of an address, in any case; null is everybody
 */
export async function listMembers(
  deps: Deps,
  actor: OrganizationActor,
  page: { limit: number; cursor: string | null; search?: string | null },
): Promise<(OwnMembership & { user: MemberUser })[]> {
  const pattern = page.search == null ? null : containing(page.search);
  const rows = await deps.db.query(
    (sql) => sql<Row[]>`
      select m.id, m.organization_id, m.user_id, m.role, m.is_default, m.created_at,
        u.email, u.email_verified, u.name, u.first_name, u.last_name, u.display_name, u.image, u.avatar_hash, u.role as platform_role,
        u.created_at as user_created_at, u.updated_at as user_updated_at
      from memberships m cross join lateral (select * from users where id = m.user_id offset 0) u
      where m.organization_id = ${actor.organizationId} and m.id > ${page.cursor ?? NIL}
        and (${pattern}::text is null or u.email ilike ${pattern} or u.name ilike ${pattern}
          or u.display_name ilike ${pattern})
      order by m.id
      limit ${page.limit}`,
  );
  return rows.map((row) => ({
    id: row.id,
    organizationId: row.organizationId,
    userId: row.userId,
    role: row.role,
    isDefault: row.isDefault,
    createdAt: row.createdAt,
    user: {
      id: row.userId,
      email: row.email,
      emailVerified: row.emailVerified,
      name: row.name,
      firstName: row.firstName,
      lastName: row.lastName,
      displayName: row.displayName,
      image: row.image,
      avatarUrl: avatarUrl(deps.rules, row.avatarHash),
      role: row.platformRole,
      createdAt: row.userCreatedAt,
      updatedAt: row.userUpdatedAt,
    },
  }));
}
