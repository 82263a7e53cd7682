import type { InstallationSettings } from '../kernel/installation.ts';
import { can, type Permission, type PlatformRole, type Role, type RoleGrant } from '../kernel/permissions.ts';
import type { Place } from './place.ts';

/** From where a call came, for the audit trail. */
export type Origin = { ipAddress: string | null; userAgent: string | null; requestId: string | null };

export type ActiveMembership = {
  organizationId: string;
  memberId: string;
  role: Role;
  /** The role with its rights, as they were when the call came in. */
  grant: RoleGrant;
};

/** The place that the input names, read with the caller: it holds for this call alone. */
export type PlaceOfCall = Place & {
  /** The caller's, of the organization meant; null where he has none or there is no such thing. */
  membership: ActiveMembership | null;
  /** Whether the thing is the caller's own. */
  isOwn: boolean;
};

export type PrincipalKey = {
  id: string;
  /** Set when the key is bound to one organization, and then it touches no other. */
  organizationId: string | null;
  /** What the key is limited to, null for all that its holder may do. */
  permissions: readonly Permission[] | null;
  /** Whether the call came with the secret that a rotation has replaced, while that is still accepted. */
  outgoing: boolean;
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
  /** Null where the input names none, or it was not known yet. */
  place: PlaceOfCall | null;
  /** The rules of the installation, where the procedure was known to ask them. */
  settings: InstallationSettings | null;
};

/** The active membership, where the role there and the key, if it is one, allow this; null otherwise. */
export const activeWith = ({ active, key }: Principal, permission: Permission): ActiveMembership | null =>
  active !== null && can(active.grant, permission, key?.permissions) ? active : null;

/** A member acting in an organization, allowed to do `permission` there; null is what every member may do. */
export type OrganizationActor = {
  principal: Principal;
  organizationId: string;
  memberId: string;
  role: Role;
  /** The role with its rights; within `inOrganization`, as they stay until it ends. */
  grant: RoleGrant;
  permission: Permission | null;
};
