import { NIL } from 'uuid';
import { notFound } from '../../kernel/errors.ts';
import { type Page, takePage } from '../../kernel/pagination.ts';
import { can, type Permission, type Role, roleOf } from '../../kernel/permissions.ts';
import type { Tier } from '../../kernel/tiers.ts';
import type { Deps } from '../deps.ts';
import { activeWith, isLimited, type OrganizationActor, type Principal } from '../principal.ts';
import { planColumn } from '../tier/index.ts';
import { customPermissions } from './role.ts';
import { type Organization, type OrganizationRow, type OwnMembership, toOrganization } from './row.ts';

type ReadRow = OrganizationRow & { plan: Tier | null };

type ListRow = ReadRow & {
  memberId: string;
  memberRole: Role;
  memberIsDefault: boolean;
  memberCreatedAt: Date;
  /** Of a custom role, where a limited key asks. */
  rolePermissions?: Permission[] | null;
};

/**
 * The organizations of the caller, oldest first, each with the caller's own membership. A limited key sees those alone
 * that it and its holder's role there may read: a page can have less than `limit` of them, and more can follow.
 */
export async function listOrganizations(
  deps: Deps,
  principal: Principal,
  page: { activeOnly: boolean; limit: number; cursor: string | null },
): Promise<Page<Organization & { members: OwnMembership[] }>> {
  const { key } = principal;
  const limited = isLimited(key);
  const bound = key?.organizationId ?? null;
  const rows = await deps.db.query(
    (sql) => sql<ListRow[]>`
      select o.id, o.name, o.slug, o.handle, o.logo, o.avatar_hash, o.description, o.metadata, o.active, o.default_role, o.owner_id,
        o.created_at, o.updated_at, ${planColumn(sql, deps.now())} as plan,
        m.id as member_id, m.role as member_role, m.is_default as member_is_default, m.created_at as member_created_at
        ${limited ? sql`, ${customPermissions(sql)} as role_permissions` : sql``}
      from memberships m join organizations o on o.id = m.organization_id
      where m.user_id = ${principal.userId}
        and (${bound}::uuid is null or m.organization_id = ${bound})
        and m.organization_id > ${page.cursor ?? NIL}
        and (o.active or not ${page.activeOnly})
      order by m.organization_id
      limit ${page.limit + 1}`,
  );
  const { items, nextCursor } = takePage(rows, page.limit);
  const mayRead = ({ memberRole, rolePermissions }: ListRow) =>
    !limited || can(roleOf(memberRole, rolePermissions), 'organization:read', key.permissions);
  return {
    items: items.filter(mayRead).map((row) => ({
      ...toOrganization(deps.rules, row, row.memberRole, row.plan),
      members: [
        {
          id: row.memberId,
          organizationId: row.id,
          userId: principal.userId,
          role: row.memberRole,
          isDefault: row.memberIsDefault,
          createdAt: row.memberCreatedAt,
        },
      ],
    })),
    nextCursor,
  };
}

export async function oneOrganization(deps: Deps, actor: OrganizationActor): Promise<Organization> {
  const [row] = await deps.db.query(
    (sql) => sql<ReadRow[]>`
      select o.id, o.name, o.slug, o.handle, o.logo, o.avatar_hash, o.description, o.metadata, o.active, o.default_role,
        o.owner_id, o.created_at, o.updated_at, ${planColumn(sql, deps.now())} as plan
      from organizations o where o.id = ${actor.organizationId}`,
  );
  if (row === undefined) throw notFound('Organization');
  return toOrganization(deps.rules, row, actor.role, row.plan);
}

/**
 * The organization that is meant where a call names none; null for a user who belongs to none, and for a limited key
 * that, or whose holder there, may not read it.
 */
export async function activeOrganization(deps: Deps, principal: Principal): Promise<Organization | null> {
  const active = isLimited(principal.key) ? activeWith(principal, 'organization:read') : principal.active;
  if (active === null) return null;
  return oneOrganization(deps, {
    principal,
    organizationId: active.organizationId,
    memberId: active.memberId,
    role: active.role,
    grant: active.grant,
    permission: 'organization:read',
  });
}
