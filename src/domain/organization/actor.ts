import type { Transaction } from '../../db/client.ts';
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
import type { ActiveMembership, OrganizationActor, Principal } from '../principal.ts';
import { customPermissions, requireRole } from './role.ts';
import type { OrganizationRow } from './row.ts';

function requirePermission(principal: Principal, grant: RoleGrant, permission: Permission): void {
  if (!can(grant, permission, principal.key?.permissions)) {
    throw forbidden('permission_missing', `You need the permission ${permission} for this.`);
  }
}

type MembershipRow = Omit<ActiveMembership, 'grant'> & { custom: Permission[] | null };

const withGrant = ({ custom, ...membership }: MembershipRow): ActiveMembership => ({
  ...membership,
  grant: roleOf(membership.role, custom),
});

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
      : await deps.db.query(async (sql) => {
          const [row] = await sql<MembershipRow[]>`
            select m.organization_id, m.id as member_id, m.role, ${customPermissions(sql)} as custom
            from memberships m where m.user_id = ${userId} and m.organization_id = ${id}`;
          return row && withGrant(row);
        });
  if (membership === undefined) throw notFound('Organization');
  return membership;
}

/**
 * The caller as a member of an organization, as above, with a permission there.
 *
 * @throws NOT_FOUND as above; FORBIDDEN for members whose role or key lacks the permission.
 */
export async function requireActor(
  deps: Deps,
  principal: Principal,
  organizationId: string | undefined,
  permission: Permission,
): Promise<OrganizationActor> {
  const membership = await requireMembership(deps, principal, organizationId);
  requirePermission(principal, membership.grant, permission);
  return { principal, ...membership, permission };
}

/** What belongs to an organization: where it is kept, and what errors call it. */
export const OWNED = {
  member: { table: 'memberships', name: 'Member' },
  invitation: { table: 'invitations', name: 'Invitation' },
  sshKey: { table: 'ssh_keys', name: 'SSH key' },
  tunnelDevice: { table: 'tunnel_devices', name: 'Tunnel device' },
  tunnelAllocation: { table: 'tunnel_allocations', name: 'Tunnel allocation' },
  webhook: { table: 'webhooks', name: 'Webhook' },
  webhookDelivery: { table: 'webhook_deliveries', name: 'Delivery' },
  deployment: { table: 'deployments', name: 'Deployment' },
  server: { table: 'servers', name: 'Server' },
};

/**
 * The caller as a member of the organization that one of these belongs to.
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
    (sql) => sql<MembershipRow[]>`
      select m.organization_id, m.id as member_id, m.role, ${customPermissions(sql)} as custom
      from ${sql(table)} t join memberships m on m.organization_id = t.organization_id
      where t.id = ${id} and m.user_id = ${principal.userId}
        and (${bound}::uuid is null or m.organization_id = ${bound})`,
  );
  if (row === undefined) throw notFound(name);
  const membership = withGrant(row);
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
    const grant = await requireRole(tx, organizationId, memberRole);
    requirePermission(principal, grant, permission);
    if (options.allowInactive !== true) requireActive(organization);
    const own = narrowed(grant, principal.key?.permissions);
    return change(tx, organization, { ...actor, memberId, role: memberRole, grant: own });
  });
}
