import type { Transaction } from '../../db/client.ts';
import type { customRoles } from '../../db/schema/index.ts';
import { conflict, forbidden, notFound } from '../../kernel/errors.ts';
import { byResource, can, type Permission, type Role } from '../../kernel/permissions.ts';
import type { OrganizationActor } from '../principal.ts';

export type CustomRoleRow = typeof customRoles.$inferSelect;

/** A role as it is shown: `role` is its name, `permissions` are resource → actions. */
export type CustomRole = Omit<CustomRoleRow, 'name' | 'permissions'> & {
  role: Role;
  permissions: Record<string, string[]>;
};

export const toCustomRole = ({ name, permissions, ...row }: CustomRoleRow): CustomRole => ({
  ...row,
  role: name,
  permissions: byResource(permissions),
});

/** What the audit trail says of a role. */
export const described = ({ name, permissions }: Pick<CustomRoleRow, 'name' | 'permissions'>) => ({
  name,
  permissions: byResource(permissions),
});

/** @throws NOT_FOUND when the organization has made no role of this name. */
export async function requireCustomRole(
  tx: Transaction,
  organizationId: string,
  name: Role,
): Promise<CustomRoleRow> {
  const [row] = await tx<CustomRoleRow[]>`
    select * from custom_roles where organization_id = ${organizationId} and name = ${name}`;
  if (row === undefined) throw notFound('Custom role');
  return row;
}

/** @throws CONFLICT naming `field` when the organization has another role of this name, however it is written. */
export async function requireFreeName(
  tx: Transaction,
  organizationId: string,
  { id, name }: Pick<CustomRoleRow, 'id' | 'name'>,
  field: string,
): Promise<void> {
  const [taken] = await tx`
    select 1 from custom_roles
    where organization_id = ${organizationId} and lower(name) = lower(${name}) and id <> ${id}`;
  if (taken !== undefined) {
    throw conflict('role_exists', 'This organization has a role of this name already.', field);
  }
}

/** Nobody decides over a right that he does not hold himself, through his role and his key. @throws FORBIDDEN */
export function requireHeld(actor: OrganizationActor, permissions: readonly Permission[]): void {
  const { grant, principal } = actor;
  const lacking = permissions.find((permission) => !can(grant, permission, principal.key?.permissions));
  if (lacking !== undefined) throw forbidden('permission_missing', `You lack the permission ${lacking}.`);
}
