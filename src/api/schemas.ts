import { z } from 'zod';
import { GRANTABLE_ROLES, type Permission, PLATFORM_ROLES, ROLE_NAMES } from '../kernel/permissions.ts';
import { Id, PermissionText } from '../kernel/schemas.ts';
import { TIER_NAMES } from '../kernel/tiers.ts';
import { API_KEY_SCOPES, INVITATION_STATUSES } from '../kernel/vocabulary.ts';

/* Inputs. */

export const GrantableRole = z.enum(GRANTABLE_ROLES).meta({ id: 'GrantableRole' });

export const OrganizationRef = z.object({
  organizationId: Id.meta({ description: 'The active organization when left out.' }).optional(),
});
export const MemberRef = z.object({ memberId: Id });
export const InvitationRef = z.object({ invitationId: Id });

/** For lists that answer bare arrays, as Dokploy's do; the next cursor is in the header `x-next-cursor`. */
export const ArrayPage = z.object({
  limit: z.number().int().min(1).max(1000).default(1000),
  cursor: Id.meta({ description: 'The value of x-next-cursor of the page before.' }).optional(),
});

/** For lists that answer `{ items, nextCursor }`. */
export const ListPage = z.object({
  limit: z.number().int().min(1).max(500).default(50),
  cursor: Id.meta({ description: 'nextCursor of the page before.' }).optional(),
});

export const Permissions = z.array(PermissionText).max(200) as z.ZodType<Permission[], string[]>;

/* Outputs. Whatever is not listed never leaves. */

const Moment = z.date().meta({ format: 'date-time', example: '2026-01-31T09:30:00.000Z' });
const Role = z.enum(ROLE_NAMES).meta({ id: 'Role' });

const membership = {
  id: Id,
  organizationId: Id,
  userId: Id,
  role: Role,
  isDefault: z
    .boolean()
    .meta({ description: 'Whether new sessions of this user start in this organization.' }),
  createdAt: Moment,
};
export const Member = z.object(membership).meta({ id: 'Member' });

const organization = {
  id: Id,
  name: z.string(),
  slug: z.string(),
  handle: z.string().meta({ example: 'acme.example.com' }),
  logo: z.string().nullable(),
  description: z.string().nullable(),
  metadata: z.string().nullable(),
  active: z.boolean(),
  defaultRole: Role.nullable(),
  ownerId: Id,
  createdAt: Moment,
  updatedAt: Moment,
  role: Role.meta({ description: "The caller's role." }),
  portalTier: z.enum(TIER_NAMES),
  maxServers: z.number().int().nullable().meta({ description: 'Null is no limit.' }),
};
export const Organization = z.object(organization).meta({ id: 'Organization' });
export const OrganizationWithMembers = z
  .object({ ...organization, members: z.array(Member).meta({ description: "The caller's own membership." }) })
  .meta({ id: 'OrganizationWithMembers' });

export const Invitation = z
  .object({
    id: Id,
    organizationId: Id,
    email: z.string(),
    role: Role,
    status: z.enum(INVITATION_STATUSES),
    inviterId: Id,
    expiresAt: Moment,
    createdAt: Moment,
  })
  .meta({ id: 'Invitation' });

export const InvitationPreview = z
  .object({
    id: Id,
    organizationId: Id,
    organizationName: z.string(),
    email: z.string(),
    role: Role,
    inviterName: z.string(),
    expiresAt: Moment,
  })
  .meta({ id: 'InvitationPreview' });

const apiKey = {
  id: Id,
  userId: Id,
  name: z.string(),
  prefix: z.string().nullable(),
  start: z.string().meta({ description: 'The first characters of the key.' }),
  scope: z.enum(API_KEY_SCOPES),
  organizationId: Id.nullable().meta({ description: 'The organization that the key is bound to.' }),
  activeOrganizationId: Id.nullable(),
  permissions: z.array(z.string()).nullable().meta({ description: 'Null is everything its holder may do.' }),
  expiresAt: Moment.nullable(),
  lastUsedAt: Moment.nullable(),
  rateLimitMax: z.number().int().nullable(),
  rateLimitTimeWindow: z.number().int().nullable().meta({ description: 'Milliseconds.' }),
  remaining: z.number().int().nullable(),
  refillAmount: z.number().int().nullable(),
  refillInterval: z.number().int().nullable().meta({ description: 'Milliseconds.' }),
  createdAt: Moment,
};
export const ApiKey = z.object(apiKey).meta({ id: 'ApiKey' });
export const CreatedApiKey = z
  .object({ ...apiKey, key: z.string().meta({ description: 'Shown this once.' }) })
  .meta({ id: 'CreatedApiKey' });

const profile = {
  id: Id,
  email: z.string(),
  emailVerified: z.boolean(),
  name: z.string(),
  firstName: z.string(),
  lastName: z.string(),
  image: z.string().nullable(),
  role: z.enum(PLATFORM_ROLES).meta({ description: 'The platform role.' }),
  createdAt: Moment,
  updatedAt: Moment,
};
export const Profile = z.object(profile).meta({ id: 'Profile' });
export const MemberWithUser = z
  .object({ ...membership, user: z.object({ ...profile, apiKeys: z.array(ApiKey) }) })
  .meta({ id: 'MemberWithUser' });

export const AuditEntry = z
  .object({
    id: Id,
    organizationId: Id.nullable(),
    userId: Id.nullable(),
    userEmail: z.string().nullable(),
    userRole: z.string().nullable(),
    apiKeyId: Id.nullable(),
    ipAddress: z.string().nullable(),
    requestId: z.string().nullable(),
    action: z.string(),
    resourceType: z.string(),
    resourceId: z.string().nullable(),
    resourceName: z.string().nullable(),
    before: z.record(z.string(), z.unknown()).nullable(),
    after: z.record(z.string(), z.unknown()).nullable(),
    createdAt: Moment,
  })
  .meta({ id: 'AuditEntry' });
