import { notFound } from '../../kernel/errors.ts';
import {
  can,
  type Permission,
  type PermissionTable,
  permissionTable,
  type Role,
  type RoleGrant,
} from '../../kernel/permissions.ts';
import type { Deps } from '../deps.ts';
import { findRole, requireActor, unknownRole } from '../organization/index.ts';
import type { OrganizationActor } from '../principal.ts';
import { memberState } from './member.ts';

/** A member, the caller when left out; as if he had `role`, and as if he came with the key. */
export type Subject = { userId?: string | undefined; role?: Role | undefined; apiKeyId?: string | undefined };

/** `role` is the one that decides. */
export type Simulation = { role: Role; permissions: PermissionTable };

/** What a key of the caller is limited to. A limited key sees the same keys here as in `apiKey.all`. */
async function keyLimits(deps: Deps, actor: OrganizationActor, id: string): Promise<Permission[] | null> {
  const { userId, key } = actor.principal;
  const bound = key?.organizationId ?? null;
  const only = key !== null && key.permissions !== null ? key.id : null;
  const [row] = await deps.db.query(
    (sql) => sql<{ permissions: Permission[] | null }[]>`
      select permissions from api_keys
      where id = ${id} and user_id = ${userId}
        and (organization_id is null or organization_id = ${actor.organizationId})
        and (${bound}::uuid is null or organization_id = ${bound})
        and (${only}::uuid is null or id = ${only})`,
  );
  if (row === undefined) throw notFound('API key');
  return row.permissions;
}

async function grantOf(deps: Deps, actor: OrganizationActor, { userId, role }: Subject): Promise<RoleGrant> {
  const { organizationId, principal } = actor;
  if (userId !== undefined) await requireActor(deps, principal, organizationId, 'member:read');
  const own = userId === undefined ? actor.grant : (await memberState(deps, organizationId, userId)).grant;
  if (role === undefined) return own;
  const grant = await deps.db.query((sql) => findRole(sql, organizationId, role));
  if (grant === null) throw unknownRole('role');
  return grant;
}

/**
 * What a member may do in the actor's organization, or could do with another role or through an API key of the
 * caller. Nothing is changed.
 *
 * @throws BAD_REQUEST for an unknown role; NOT_FOUND for who is no member and for keys that are not the caller's or
 *   not for this organization; FORBIDDEN for a member without member:read.
 */
export async function simulatePermissions(
  deps: Deps,
  actor: OrganizationActor,
  subject: Subject,
): Promise<Simulation> {
  const grant = await grantOf(deps, actor, subject);
  const limits = subject.apiKeyId === undefined ? null : await keyLimits(deps, actor, subject.apiKeyId);
  return {
    role: grant.name,
    permissions: permissionTable((permission) => can(grant, permission, limits)),
  };
}
