import type { Sql, Transaction } from '../../db/client.ts';
import { badRequest, forbidden } from '../../kernel/errors.ts';
import {
  isBuiltIn,
  mayGrant,
  type Permission,
  ROLE_NAMES,
  type Role,
  type RoleGrant,
  roleOf,
} from '../../kernel/permissions.ts';

/** What a member's custom role is made of, as text in a statement about memberships; null for a built-in role. */
export const customPermissionsOf = (memberships: string): string => `(
  select r.permissions from custom_roles r
  where r.organization_id = ${memberships}.organization_id and r.name = ${memberships}.custom_role)`;

/** The same as a part of a statement about `memberships m`. */
export const customPermissions = (sql: Sql) => sql.unsafe(customPermissionsOf('m'));

/** A role of an organization with its rights at this moment; null when there is none of the name. */
export async function findRole(sql: Sql, organizationId: string, name: Role): Promise<RoleGrant | null> {
  if (isBuiltIn(name)) return roleOf(name);
  const [row] = await sql<{ permissions: Permission[] }[]>`
    select permissions from custom_roles where organization_id = ${organizationId} and name = ${name}`;
  return row === undefined ? null : roleOf(name, row.permissions);
}

/** Every role of an organization with its rights at this moment, by name. */
export async function findRoles(sql: Sql, organizationId: string): Promise<Map<Role, RoleGrant>> {
  const custom = await sql<{ name: Role; permissions: Permission[] }[]>`
    select name, permissions from custom_roles where organization_id = ${organizationId}`;
  const roles = [
    ...ROLE_NAMES.map((name) => roleOf(name)),
    ...custom.map(({ name, permissions }) => roleOf(name, permissions)),
  ];
  return new Map(roles.map((role) => [role.name, role]));
}

export const unknownRole = (field: string) =>
  badRequest(field, 'unknown_role', 'This organization has no role of this name.');

/**
 * The role that a caller has named in `field`. With the organization's row held it stays what it is until the
 * transaction ends.
 *
 * @throws BAD_REQUEST when the organization has no such role.
 */
export async function requireRole(
  tx: Transaction,
  organizationId: string,
  name: Role,
  field = 'role',
): Promise<RoleGrant> {
  const role = await findRole(tx, organizationId, name);
  if (role === null) throw unknownRole(field);
  return role;
}

/** What `mayGrant` says no to; `attempt` is what was tried with the role. */
export const notGrantable = (attempt: 'give' | 'invite to' | 'make the default') =>
  forbidden(
    'role_not_grantable',
    `You cannot ${attempt} a role above your own, or with rights that you lack.`,
  );

/**
 * Whoever holds `grant` may give the role that a caller has named.
 *
 * @throws BAD_REQUEST when the organization has no such role; FORBIDDEN for one that ranks above `grant` or holds rights
 *   that it lacks.
 */
export async function requireGrantable(
  tx: Transaction,
  organizationId: string,
  grant: RoleGrant,
  name: Role,
): Promise<void> {
  if (!mayGrant(grant, await requireRole(tx, organizationId, name))) throw notGrantable('give');
}
