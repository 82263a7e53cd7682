/** Everything that can be allowed inside an organization: resource → actions. */
export const STATEMENTS = {
  organization: ['read', 'update', 'delete'],
  member: ['read', 'update'],
  invitation: ['read', 'create', 'delete'],
  auditLog: ['read'],
} as const;

type Statements = typeof STATEMENTS;
export type Resource = keyof Statements;
/** A right inside an organization, such as `invitation:create`. */
export type Permission = { [R in Resource]: `${R}:${Statements[R][number]}` }[Resource];

/** A right over the whole installation; never mixed with those of an organization. */
export type PlatformRight = 'user.readAny' | 'organization.unlimited';

const EVERY = Object.entries(STATEMENTS).flatMap(([resource, actions]) =>
  actions.map((action) => `${resource}:${action}` as Permission),
);

export const ROLE_NAMES = ['owner', 'admin', 'member'] as const;
export type Role = (typeof ROLE_NAMES)[number];
/** Roles that can be given to somebody; ownership is only ever transferred. */
export const GRANTABLE_ROLES = ['admin', 'member'] as const satisfies readonly Role[];

const ROLES: Record<Role, { rank: number; permissions: ReadonlySet<Permission> }> = {
  owner: { rank: 3, permissions: new Set(EVERY) },
  admin: {
    rank: 2,
    permissions: new Set(EVERY.filter((permission) => permission !== 'organization:delete')),
  },
  member: { rank: 1, permissions: new Set<Permission>(['organization:read', 'member:read']) },
};

export const PLATFORM_ROLES = ['user', 'staff', 'admin', 'rootAdmin'] as const;
export type PlatformRole = (typeof PLATFORM_ROLES)[number];

const PLATFORM_RIGHTS: Record<PlatformRight, readonly PlatformRole[]> = {
  'user.readAny': ['staff', 'admin', 'rootAdmin'],
  'organization.unlimited': ['admin', 'rootAdmin'],
};

export const permissionsOf = (role: Role): ReadonlySet<Permission> => ROLES[role].permissions;

/** `keyPermissions` is what an API key was limited to, null for everything its holder may do. */
export function can(
  role: Role,
  permission: Permission,
  keyPermissions: readonly Permission[] | null = null,
): boolean {
  return (
    ROLES[role].permissions.has(permission) &&
    (keyPermissions === null || keyPermissions.includes(permission))
  );
}

export const canOnPlatform = (role: PlatformRole, right: PlatformRight): boolean =>
  PLATFORM_RIGHTS[right].includes(role);

/** Nobody acts on an equal or higher rank. */
export const outranks = (actor: Role, target: Role): boolean => ROLES[actor].rank > ROLES[target].rank;

/** A role may be handed out by who holds every right in it. Ownership is never handed out. */
export const mayGrant = (actor: Role, granted: Role): boolean =>
  granted !== 'owner' &&
  [...ROLES[granted].permissions].every((permission) => ROLES[actor].permissions.has(permission));

/** Who may invite to a role, and whose invitations to it therefore hold. */
export const mayInvite = (inviter: Role, invited: Role): boolean =>
  can(inviter, 'invitation:create') && mayGrant(inviter, invited);

export const isPermission = (text: string): text is Permission => (EVERY as string[]).includes(text);
