/** Everything that can be allowed inside an organization: resource → actions. */
export const STATEMENTS = {
  organization: ['read', 'update', 'delete'],
  member: ['read', 'update'],
  invitation: ['read', 'create', 'delete'],
  customRole: ['read', 'create', 'update', 'delete'],
  auditLog: ['read'],
  sshKey: ['read', 'create', 'update', 'delete'],
  tunnel: ['read', 'create', 'delete'],
  webhook: ['read', 'create', 'update', 'delete'],
  deployment: ['read', 'create', 'update', 'delete'],
  server: ['read', 'create', 'update', 'delete'],
  dnsZone: ['read', 'create', 'update', 'delete'],
  dnsRecord: ['read', 'create', 'update', 'delete'],
} as const;

type Statements = typeof STATEMENTS;
export type Resource = keyof Statements;
/** A right inside an organization, such as `invitation:create`. */
export type Permission = { [R in Resource]: `${R}:${Statements[R][number]}` }[Resource];

/** A right over the whole installation; never mixed with those of an organization. */
export type PlatformRight =
  | 'user.readAny'
  | 'user.create'
  | 'user.suspend'
  | 'user.setPlatformRole'
  | 'user.delete'
  | 'organization.unlimited'
  | 'member.addDirectly'
  | 'settings.update'
  | 'license.manage'
  | 'deployment.readAny'
  | 'node.manage';

/** All of `STATEMENTS`, in its order. */
export const PERMISSIONS: readonly Permission[] = Object.entries(STATEMENTS).flatMap(([resource, actions]) =>
  actions.map((action) => `${resource}:${action}` as Permission),
);

/** Goes with ownership, which is only ever transferred: no other role can have it. */
const OWNERS_ALONE: Permission = 'organization:delete';
const GIVEABLE = PERMISSIONS.filter((permission) => permission !== OWNERS_ALONE);

/** The roles that every organization has. */
export const ROLE_NAMES = ['owner', 'admin', 'member'] as const;
export type BuiltInRole = (typeof ROLE_NAMES)[number];
/** A role's name: a built-in one, or one that the organization has made. */
export type Role = string;

/** A role with its rights, as every decision needs it. */
export type RoleGrant = { readonly name: Role; readonly permissions: ReadonlySet<Permission> };

const BUILT_IN: Record<BuiltInRole, RoleGrant> = {
  owner: { name: 'owner', permissions: new Set(PERMISSIONS) },
  admin: { name: 'admin', permissions: new Set(GIVEABLE) },
  member: {
    name: 'member',
    permissions: new Set([
      ...(['organization:read', 'member:read', 'customRole:read', 'sshKey:read', 'tunnel:read'] as const),
      ...(['deployment:read', 'server:read', 'dnsZone:read', 'dnsRecord:read'] as const),
    ]),
  },
};

export const isBuiltIn = (role: Role): role is BuiltInRole =>
  (ROLE_NAMES as readonly string[]).includes(role);

/**
 * A role of this name. `custom` is what the organization has put into it, and is not looked at for a built-in role.
 * What no custom role can have, or what is no permission any more, stays out.
 */
export const roleOf = (name: Role, custom: readonly string[] | null = null): RoleGrant =>
  isBuiltIn(name)
    ? BUILT_IN[name]
    : { name, permissions: new Set(GIVEABLE.filter((permission) => custom?.includes(permission))) };

/** Custom roles are between members and admins, and equal among themselves. */
const rankOf = (role: Role): number => {
  if (!isBuiltIn(role)) return 2;
  return { owner: 4, admin: 3, member: 1 }[role];
};

export const PLATFORM_ROLES = ['user', 'staff', 'admin', 'rootAdmin'] as const;
export type PlatformRole = (typeof PLATFORM_ROLES)[number];

const RIGHT_HOLDERS: Record<PlatformRight, readonly PlatformRole[]> = {
  'user.readAny': ['staff', 'admin', 'rootAdmin'],
  'user.create': ['admin', 'rootAdmin'],
  'user.suspend': ['staff', 'admin', 'rootAdmin'],
  'user.setPlatformRole': ['admin', 'rootAdmin'],
  'user.delete': ['admin', 'rootAdmin'],
  'organization.unlimited': ['admin', 'rootAdmin'],
  'member.addDirectly': ['staff', 'admin', 'rootAdmin'],
  'settings.update': ['admin', 'rootAdmin'],
  'license.manage': ['staff', 'admin', 'rootAdmin'],
  'deployment.readAny': ['staff', 'admin', 'rootAdmin'],
  'node.manage': ['admin', 'rootAdmin'],
};

export const PLATFORM_RIGHTS = Object.keys(RIGHT_HOLDERS) as PlatformRight[];

/** What decides about a permission, and how: the role, or where that allows it the key's own limits. */
export type Decision = { allowed: boolean; by: 'role' | 'key' };

/** `keyPermissions` is what an API key was limited to, null for everything its holder may do. */
export function decide(
  role: RoleGrant,
  permission: Permission,
  keyPermissions: readonly Permission[] | null = null,
): Decision {
  if (!role.permissions.has(permission)) return { allowed: false, by: 'role' };
  if (keyPermissions === null) return { allowed: true, by: 'role' };
  return { allowed: keyPermissions.includes(permission), by: 'key' };
}

/** Whether a role, and the key where there is one, allow it. */
export const can = (
  role: RoleGrant,
  permission: Permission,
  keyPermissions: readonly Permission[] | null = null,
): boolean => decide(role, permission, keyPermissions).allowed;

/** Everything that `can` allows. */
export const effectivePermissions = (
  role: RoleGrant,
  keyPermissions: readonly Permission[] | null = null,
): Permission[] => PERMISSIONS.filter((permission) => can(role, permission, keyPermissions));

/** The role as far as a key may use it: whoever calls with a limited key hands out no more than the key allows. */
export const narrowed = (role: RoleGrant, keyPermissions: readonly Permission[] | null = null): RoleGrant =>
  keyPermissions === null
    ? role
    : { ...role, permissions: new Set(effectivePermissions(role, keyPermissions)) };

export const canOnPlatform = (role: PlatformRole, right: PlatformRight): boolean =>
  RIGHT_HOLDERS[right].includes(role);

/** Nobody acts on an equal or higher platform role, nor gives one. */
export const outranksOnPlatform = (actor: PlatformRole, target: PlatformRole): boolean =>
  PLATFORM_ROLES.indexOf(actor) > PLATFORM_ROLES.indexOf(target);

/** Nobody acts on an equal or higher rank. */
export const outranks = (actor: Role, target: Role): boolean => rankOf(actor) > rankOf(target);

/** A role may be handed out by who holds every right in it and ranks no lower. Ownership is never handed out. */
export const mayGrant = (actor: RoleGrant, granted: RoleGrant): boolean =>
  granted.name !== 'owner' &&
  !outranks(granted.name, actor.name) &&
  [...granted.permissions].every((permission) => actor.permissions.has(permission));

/** Who may invite to a role, and whose invitations to it therefore hold. */
export const mayInvite = (inviter: RoleGrant, invited: RoleGrant): boolean =>
  can(inviter, 'invitation:create') && mayGrant(inviter, invited);

export type PermissionTable = { [R in Resource]: { [A in Statements[R][number]]: boolean } };

/** Every resource with each of its actions, and whether `allows` says yes to it. */
export const permissionTable = (allows: (permission: Permission) => boolean): PermissionTable =>
  Object.fromEntries(
    Object.entries(STATEMENTS).map(([resource, actions]) => [
      resource,
      Object.fromEntries(actions.map((action) => [action, allows(`${resource}:${action}` as Permission)])),
    ]),
  ) as PermissionTable;

export const isPermission = (text: string): text is Permission =>
  (PERMISSIONS as readonly string[]).includes(text);

/** Whether a custom role can have it. */
export const isGiveable = (text: string): text is Permission => (GIVEABLE as string[]).includes(text);

/** Permissions as people write a role down: resource → actions, in the order of `STATEMENTS`. */
export function byResource(permissions: Iterable<Permission>): Record<string, string[]> {
  const held = new Set(permissions);
  return Object.fromEntries(
    Object.entries(STATEMENTS).flatMap(([resource, actions]) => {
      const allowed = actions.filter((action) => held.has(`${resource}:${action}` as Permission));
      return allowed.length === 0 ? [] : [[resource, allowed]];
    }),
  );
}

/** Everything that a custom role can be made of: resource → actions. */
export const giveableStatements = (): Record<string, string[]> => byResource(GIVEABLE);
