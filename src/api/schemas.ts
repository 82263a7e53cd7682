import { z } from 'zod';
import {
  type Permission,
  type PermissionTable,
  PLATFORM_ROLES,
  permissionTable,
} from '../kernel/permissions.ts';
import { Id, PermissionText } from '../kernel/schemas.ts';
import { TIER_NAMES } from '../kernel/tiers.ts';
import { API_KEY_SCOPES, INVITATION_STATUSES, THEMES } from '../kernel/vocabulary.ts';

/* Inputs. */

/** As the organization wrote it; whether there is such a role is asked where it matters. */
export const RoleName = z.string().trim().min(1).max(50);
/** Ownership is only ever transferred. */
export const GrantableRole = RoleName.refine((name) => name !== 'owner', 'Ownership is not given away.').meta(
  {
    id: 'GrantableRole',
    description: 'admin, member, or a custom role of the organization.',
    example: 'member',
  },
);

export const OrganizationRef = z.object({
  organizationId: Id.meta({ description: 'The active organization when left out.' }).optional(),
});
/** A member by the membership or by the account. */
export const MemberName = OrganizationRef.extend({
  memberId: Id.optional(),
  userId: Id.meta({ description: "Instead of memberId: the member's account." }).optional(),
}).refine(({ memberId, userId }) => memberId !== undefined || userId !== undefined, {
  error: 'Send memberId or userId.',
  path: ['memberId'],
});

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

/** Whether a moment is within the years that PostgreSQL and ISO 8601 write alike. */
export const isStorable = (text: string): boolean => {
  const year = new Date(text).getUTCFullYear();
  return year >= 1 && year <= 9999;
};

/* Outputs. Whatever is not listed never leaves. */

/** A whole number that can pass 2^31 - 1, where clients in many languages take 32 bits unless they are told. */
export const Long = z.number().int().meta({ format: 'int64' });

const AvatarUrl = z.string().meta({ example: 'https://panel.example.com/avatars/3b7e….webp' });
export const Moment = z.date().meta({ format: 'date-time', example: '2026-01-31T09:30:00.000Z' });
export const Role = z.string().meta({
  id: 'Role',
  description: 'owner, admin, member, or a custom role of the organization.',
  example: 'member',
});

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
  avatarUrl: AvatarUrl.nullable(),
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
  allowedIps: z
    .array(z.string())
    .nullable()
    .meta({ description: 'Addresses and ranges that may use the key; null is anywhere.' }),
  previousKeyExpiresAt: Moment.nullable().meta({
    description: 'Until when the key before the last rotation is accepted.',
  }),
  expiresAt: Moment.nullable(),
  lastUsedAt: Moment.nullable(),
  rateLimitMax: z.number().int().nullable(),
  rateLimitTimeWindow: Long.nullable().meta({ description: 'Milliseconds.' }),
  remaining: z.number().int().nullable(),
  refillAmount: z.number().int().nullable(),
  refillInterval: Long.nullable().meta({ description: 'Milliseconds.' }),
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
  name: z.string().meta({ description: 'First and last name; while both are empty, what it was before.' }),
  firstName: z.string(),
  lastName: z.string(),
  displayName: z.string().nullable(),
  image: z.string().nullable(),
  avatarUrl: AvatarUrl.nullable(),
  role: z.enum(PLATFORM_ROLES).meta({ description: 'The platform role.' }),
  suspended: z.boolean(),
  createdAt: Moment,
  updatedAt: Moment,
};
const privateProfile = {
  dateOfBirth: z.string().nullable().meta({ format: 'date', example: '1990-04-23' }),
  age: z.number().int().nullable().meta({ description: 'Full years, by the calendar of UTC.' }),
  isChildAccount: z.boolean().meta({ description: 'Below the age of majority of the billing country.' }),
  identityVerified: z.boolean(),
  billingLine1: z.string().nullable(),
  billingCity: z.string().nullable(),
  billingState: z.string().nullable(),
  billingZip: z.string().nullable(),
  billingCountry: z.string().nullable().meta({ example: 'IE' }),
  settings: z.object({
    theme: z.enum(THEMES).optional(),
    locale: z.string().optional(),
    timeZone: z.string().optional(),
  }),
  twoFactorEnabled: z.boolean(),
  pendingEmail: z
    .string()
    .nullable()
    .meta({ description: 'The address that the account will have once its link is opened.' }),
  portalTier: z.enum(TIER_NAMES),
  limits: z
    .object({ maxOrganizations: z.number().int().nullable(), maxServers: z.number().int().nullable() })
    .meta({ description: 'Null is no limit.' }),
};
export const Account = z.object({ ...profile, ...privateProfile }).meta({ id: 'Account' });
/** What is private is there for its holder and for platform staff only, and never for limited API keys. */
const visibleProfile = { ...profile, ...z.object(privateProfile).partial().shape };
export const Profile = z.object(visibleProfile).meta({ id: 'Profile' });
export const MemberWithUser = z
  .object({ ...membership, user: z.object({ ...visibleProfile, apiKeys: z.array(ApiKey) }) })
  .meta({ id: 'MemberWithUser' });

export const Session = z
  .object({
    id: Id,
    userId: Id,
    ipAddress: z.string().nullable().meta({ description: 'Where it was signed in from.' }),
    userAgent: z.string().nullable(),
    lastSeenAt: Moment.nullable().meta({ description: 'Written at most once a minute.' }),
    createdAt: Moment,
    updatedAt: Moment,
    expiresAt: Moment,
    current: z.boolean().meta({ description: 'Whether this call was made with it.' }),
  })
  .meta({ id: 'Session' });

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
    seq: Long.meta({
      description:
        'The place in the chain of the organization, or of the user where no organization is named.',
    }),
    seal: z.string().meta({
      description:
        'HMAC-SHA-256 of this row and of the seal before it; empty for rows from before there were chains, for which nothing vouches.',
    }),
  })
  .meta({ id: 'AuditEntry' });

/** Resource, action, and whether the caller may. */
export const PermissionFlags = z.object(
  Object.fromEntries(
    Object.entries(permissionTable(() => true)).map(([resource, actions]) => [
      resource,
      z.object(Object.fromEntries(Object.keys(actions).map((action) => [action, z.boolean()]))),
    ]),
  ),
) as unknown as z.ZodType<PermissionTable>;

export const MemberOfOrganization = z
  .object({
    ...membership,
    user: z.object({
      id: Id,
      email: z.string(),
      emailVerified: z.boolean(),
      name: z.string(),
      firstName: z.string(),
      lastName: z.string(),
      displayName: z.string().nullable(),
      image: z.string().nullable(),
      avatarUrl: AvatarUrl.nullable(),
      role: z.enum(PLATFORM_ROLES).meta({ description: 'The platform role.' }),
      createdAt: Moment,
      updatedAt: Moment,
    }),
  })
  .meta({ id: 'MemberOfOrganization' });

export const OpenInvitation = InvitationPreview.extend({
  status: z.literal('pending'),
  inviterId: Id,
  createdAt: Moment,
}).meta({ id: 'OpenInvitation' });
export const NewAvatar = z.object({ avatarUrl: AvatarUrl });
export const NoAvatar = z.object({ avatarUrl: z.null() });
