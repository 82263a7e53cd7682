import type { Permission, PlatformRole, Role } from '../kernel/permissions.ts';

/** From where a call came, for the audit trail. */
export type Origin = { ipAddress: string | null; userAgent: string | null; requestId: string | null };

export type ActiveMembership = {
  organizationId: string;
  memberId: string;
  role: Role;
};

export type PrincipalKey = {
  id: string;
  /** Set when the key is bound to one organization, and then it touches no other. */
  organizationId: string | null;
  /** What the key is limited to, null for all that its holder may do. */
  permissions: readonly Permission[] | null;
};

/** Whether a key stands for less than its whole holder. */
export const isLimited = (key: PrincipalKey | null): key is PrincipalKey =>
  key !== null && (key.organizationId !== null || key.permissions !== null);

/** Who is calling: a user, by a session or by a key. */
export type Principal = Origin & {
  userId: string;
  email: string;
  emailVerified: boolean;
  platformRole: PlatformRole;
  sessionId: string | null;
  key: PrincipalKey | null;
  /** The organization meant where a call names none; null when the user belongs to none. */
  active: ActiveMembership | null;
};

/** A member acting in an organization, allowed to do `permission` there. */
export type OrganizationActor = {
  principal: Principal;
  organizationId: string;
  memberId: string;
  role: Role;
  permission: Permission;
};
