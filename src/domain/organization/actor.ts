import type { Transaction } from '../../db/client.ts';
import { forbidden, notFound, preconditionFailed } from '../../kernel/errors.ts';
import { can, type Permission, type Role } from '../../kernel/permissions.ts';
import type { Deps } from '../deps.ts';
import type { OrganizationActor, Principal } from '../principal.ts';
import type { OrganizationRow } from './row.ts';

function requirePermission(principal: Principal, role: Role, permission: Permission): void {
  if (!can(role, permission, principal.key?.permissions)) {
    throw forbidden('permission_missing', `You need the permission ${permission} for this.`);
  }
}

/** An organization that is switched off can be read, activated and deleted, nothing else. */
export function requireActive(organization: { active: boolean }): void {
  if (!organization.active) {
    throw preconditionFailed('organization_inactive', 'This organization is inactive. Activate it first.');
  }
}

/**
 * The caller as a member of an organization: of `organizationId`, or of the active one when none is named.
 *
 * @throws NOT_FOUND for outsiders and for keys of another organization, as if the organization did not exist;
 *   FORBIDDEN for members whose role or key lacks the permission.
 */
export async function requireActor(
  deps: Deps,
  principal: Principal,
  organizationId: string | undefined,
  permission: Permission,
): Promise<OrganizationActor> {
  const { active, key, userId } = principal;
  const id = organizationId ?? active?.organizationId;
  if (id === undefined || (key?.organizationId != null && key.organizationId !== id)) {
    throw notFound('Organization');
  }
  const membership =
    active?.organizationId === id
      ? active
      : await deps.db.query(async (sql) => {
          const [row] = await sql<{ memberId: string; role: Role }[]>`
            select id as member_id, role from memberships where user_id = ${userId} and organization_id = ${id}`;
          return row;
        });
  if (membership === undefined) throw notFound('Organization');
  requirePermission(principal, membership.role, permission);
  return { principal, organizationId: id, memberId: membership.memberId, role: membership.role, permission };
}

const OWNED = {
  member: { table: 'memberships', name: 'Member' },
  invitation: { table: 'invitations', name: 'Invitation' },
};

/**
 * The caller as a member of the organization that a member or an invitation belongs to.
 *
 * @throws NOT_FOUND alike for an id that does not exist and for one of another organization; FORBIDDEN as above.
 */
export async function requireActorOf(
  deps: Deps,
  principal: Principal,
  kind: keyof typeof OWNED,
  id: string,
  permission: Permission,
): Promise<OrganizationActor> {
  const { table, name } = OWNED[kind];
  const bound = principal.key?.organizationId ?? null;
  const [row] = await deps.db.query(
    (sql) => sql<{ organizationId: string; memberId: string; role: Role }[]>`
      select m.organization_id, m.id as member_id, m.role
      from ${sql(table)} t join memberships m on m.organization_id = t.organization_id
      where t.id = ${id} and m.user_id = ${principal.userId}
        and (${bound}::uuid is null or m.organization_id = ${bound})`,
  );
  if (row === undefined) throw notFound(name);
  requirePermission(principal, row.role, permission);
  return { principal, ...row, permission };
}

/**
 * Runs one change of an organization in a transaction that holds the organization's row, so that changes of one
 * organization happen one after another. What the actor may do is read again under the lock: whoever was demoted or
 * removed a moment ago is refused. `allowInactive` lets the change through in an organization that is switched off.
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
    const [found] = await tx<(OrganizationRow & { memberId: string; memberRole: Role })[]>`
      select o.*, m.id as member_id, m.role as member_role
      from organizations o join memberships m on m.organization_id = o.id and m.user_id = ${principal.userId}
      where o.id = ${organizationId}
      for no key update of o, m`;
    if (found === undefined) throw notFound('Organization');
    const { memberId, memberRole, ...organization } = found;
    requirePermission(principal, memberRole, permission);
    if (options.allowInactive !== true) requireActive(organization);
    return change(tx, organization, { ...actor, memberId, role: memberRole });
  });
}
