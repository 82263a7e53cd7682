import type { Transaction } from '../../db/client.ts';
import { raiseWall } from '../../db/wall.ts';
import { forbidden, notFound, preconditionFailed } from '../../kernel/errors.ts';
import {
  can,
  narrowed,
  type Permission,
  type Role,
  type RoleGrant,
  roleOf,
} from '../../kernel/permissions.ts';
import type { Deps } from '../deps.ts';
import { OWNED, type OwnedKind, type Place } from '../place.ts';
import type { ActiveMembership, OrganizationActor, PlaceOfCall, Principal } from '../principal.ts';
import { customPermissions, requireRole } from './role.ts';
import type { OrganizationRow } from './row.ts';

function requirePermission(principal: Principal, grant: RoleGrant, permission: Permission | null): void {
  if (permission !== null && !can(grant, permission, principal.key?.permissions)) {
    throw forbidden('permission_missing', `You need the permission ${permission} for this.`);
  }
}

type MembershipRow = Omit<ActiveMembership, 'grant'> & { custom: Permission[] | null };

const withGrant = ({ custom, ...membership }: MembershipRow): ActiveMembership => ({
  ...membership,
  grant: roleOf(membership.role, custom),
});

/** The place of this call, where it is the one that is asked for: it was read with the caller. */
export const placeOf = ({ place }: Principal, { kind, id }: Place): PlaceOfCall | null =>
  place?.kind === kind && place.id === id ? place : null;

/** The caller's membership of the organization of a place; `ask` reads it where it is not known yet. */
async function membershipAt(
  principal: Principal,
  place: Place,
  ask: () => Promise<readonly MembershipRow[]>,
): Promise<ActiveMembership | null> {
  const known = placeOf(principal, place);
  if (known !== null) return known.membership;
  const [row] = await ask();
  return row === undefined ? null : withGrant(row);
}

/** An organization that is switched off can be read, activated and deleted, nothing else. */
export function requireActive(organization: { active: boolean }): void {
  if (!organization.active) {
    throw preconditionFailed('organization_inactive', 'This organization is inactive. Activate it first.');
  }
}

/**
 * The caller's membership of an organization: of `organizationId`, or of the active one when none is named.
 *
 * @throws NOT_FOUND for outsiders and for keys of another organization, as if the organization did not exist.
 */
export async function requireMembership(
  deps: Deps,
  principal: Principal,
  organizationId: string | undefined,
): Promise<ActiveMembership> {
  const { active, key, userId } = principal;
  const id = organizationId ?? active?.organizationId;
  if (id === undefined || (key?.organizationId != null && key.organizationId !== id)) {
    throw notFound('Organization');
  }
  const membership =
    active?.organizationId === id
      ? active
      : await membershipAt(principal, { kind: 'organization', id }, () =>
          deps.db.query(
            (sql) => sql<MembershipRow[]>`
              select m.organization_id, m.id as member_id, m.role, ${customPermissions(sql)} as custom
              from memberships m where m.user_id = ${userId} and m.organization_id = ${id}`,
          ),
        );
  if (membership === null) throw notFound('Organization');
  return membership;
}

/**
 * The caller as a member of an organization, as above, with a permission there; null is every member.
 *
 * @throws NOT_FOUND as above; FORBIDDEN for members whose role or key lacks the permission.
 */
export async function requireActor(
  deps: Deps,
  principal: Principal,
  organizationId: string | undefined,
  permission: Permission | null,
): Promise<OrganizationActor> {
  const membership = await requireMembership(deps, principal, organizationId);
  requirePermission(principal, membership.grant, permission);
  return { principal, ...membership, permission };
}

/**
 * The caller as a member of the organization that one of these belongs to.
 *
 * @throws NOT_FOUND alike for an id that does not exist and for one of another organization; FORBIDDEN as above.
 */
export async function requireActorOf(
  deps: Deps,
  principal: Principal,
  kind: OwnedKind,
  id: string,
  permission: Permission,
): Promise<OrganizationActor> {
  const { table, name } = OWNED[kind];
  const membership = await membershipAt(principal, { kind, id }, () =>
    deps.db.query(
      (sql) => sql<MembershipRow[]>`
        select m.organization_id, m.id as member_id, m.role, ${customPermissions(sql)} as custom
        from ${sql(table)} t join memberships m on m.organization_id = t.organization_id
        where t.id = ${id} and m.user_id = ${principal.userId}`,
    ),
  );
  const bound = principal.key?.organizationId ?? membership?.organizationId;
  if (membership === null || membership.organizationId !== bound) throw notFound(name);
  requirePermission(principal, membership.grant, permission);
  return { principal, ...membership, permission };
}

/** Holds an organization that platform staff change something about. @throws NOT_FOUND when there is none. */
export async function holdOrganization(tx: Transaction, organizationId: string): Promise<{ name: string }> {
  const [organization] = await tx<{ name: string }[]>`
    select name from organizations where id = ${organizationId} for no key update`;
  if (organization === undefined) throw notFound('Organization');
  return organization;
}

/**
 * Runs one change of an organization in a transaction that holds the organization's row, so that changes of one
 * organization happen one after another. What the actor may do is read again under the lock: whoever was demoted or
 * removed a moment ago is refused. `allowInactive` lets the change through in an organization that is switched off.
 *
 * The change stands within the wall of the organization (db/wall.ts): rows of others are not there for it. `before` runs
 * outside, and does what comes before the organization: it holds rows of users, or makes them.
 */
export function inOrganization<T>(
  deps: Deps,
  actor: OrganizationActor,
  change: (tx: Transaction, organization: OrganizationRow, actor: OrganizationActor) => Promise<T>,
  options: { allowInactive?: boolean; before?: (tx: Transaction) => Promise<unknown> } = {},
): Promise<T> {
  const { principal, organizationId, permission } = actor;
  return deps.db.transaction(async (tx) => {
    await options.before?.(tx);
    // Locking the membership too makes PostgreSQL hand out its newest version after a wait.
    const [, [found]] = await Promise.all([
      raiseWall(tx, organizationId),
      tx<(OrganizationRow & { memberId: string; memberRole: Role })[]>`
        select o.*, m.id as member_id, m.role as member_role
        from organizations o join memberships m on m.organization_id = o.id and m.user_id = ${principal.userId}
        where o.id = ${organizationId}
        for no key update of o, m`,
    ]);
    if (found === undefined) throw notFound('Organization');
    const { memberId, memberRole, ...organization } = found;
    const grant = await requireRole(tx, organizationId, memberRole);
    requirePermission(principal, grant, permission);
    if (options.allowInactive !== true) requireActive(organization);
    const own = narrowed(grant, principal.key?.permissions);
    return change(tx, organization, { ...actor, memberId, role: memberRole, grant: own });
  });
}
