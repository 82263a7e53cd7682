import { z } from 'zod';
import { exportAccount } from '../../domain/account/index.ts';
import { PLATFORM_ROLES } from '../../kernel/permissions.ts';
import { Id } from '../../kernel/schemas.ts';
import { ApiKey, AuditEntry, Member, Moment, OpenInvitation } from '../schemas.ts';
import { userProcedure } from '../trpc.ts';
import { TunnelAllocation, TunnelDevice } from '../tunnel/schemas.ts';

const text = z.string().nullable();

const AccountData = z.object({
  id: Id,
  email: z.string(),
  emailVerified: z.boolean(),
  name: z.string(),
  firstName: z.string(),
  lastName: z.string(),
  displayName: text,
  image: text,
  avatarHash: text.meta({ description: 'Names the uploaded picture.' }),
  dateOfBirth: text.meta({ example: '1990-12-31' }),
  identityVerifiedAt: Moment.nullable(),
  billingLine1: text,
  billingCity: text,
  billingState: text,
  billingZip: text,
  billingCountry: text,
  settings: z.record(z.string(), z.unknown()),
  twoFactorEnabled: z.boolean(),
  suspendedAt: Moment.nullable(),
  suspensionReason: text,
  role: z.enum(PLATFORM_ROLES).meta({ description: 'The platform role.' }),
  createdAt: Moment,
  updatedAt: Moment,
});

const SshKeyData = z.object({
  id: Id,
  name: z.string(),
  description: text,
  publicKey: z.string(),
  type: z.string(),
  bits: z.number().int(),
  fingerprint: z.string(),
  hasPrivateKey: z.boolean().meta({ description: 'Whether the private part is kept, encrypted.' }),
  lastUsedAt: Moment.nullable(),
  createdAt: Moment,
});

/** That is the caller. */
const OWNER = { userId: true, organizationId: true } as const;

const SessionData = z.object({
  id: Id,
  ipAddress: text,
  userAgent: text,
  remembered: z.boolean(),
  lastSeenAt: Moment.nullable(),
  expiresAt: Moment,
  createdAt: Moment,
});

export const exportProcedures = {
  export: userProcedure
    .meta({
      summary: "Read everything that is kept of the caller's account",
      description:
        'Profile, memberships, API keys, SSH keys, tunnel devices and their allocations, sessions, from where it was signed in to, open invitations sent and received, and what the account did: of invitations of either kind, of sessions, of those places and of the audit log the newest 1000. Without passwords, tokens, private keys and their hashes.',
      rateLimit: { name: 'user.export', points: 6, seconds: 60 },
    })
    .output(
      z
        .object({
          exportedAt: Moment,
          profile: AccountData,
          memberships: z.array(
            Member.extend({ organizationName: z.string(), organizationHandle: z.string() }),
          ),
          apiKeys: z.array(ApiKey),
          sshKeys: z.array(SshKeyData),
          tunnelDevices: z.array(TunnelDevice.omit(OWNER)),
          tunnelAllocations: z.array(TunnelAllocation.omit(OWNER)),
          sessions: z.array(SessionData),
          knownClients: z
            .array(z.object({ client: z.string(), createdAt: Moment }))
            .meta({ description: 'From where the account was signed in to: addresses, of IPv6 the /64.' }),
          invitations: z.object({ sent: z.array(OpenInvitation), received: z.array(OpenInvitation) }),
          auditLog: z.array(AuditEntry),
        })
        .meta({ id: 'AccountExport' }),
    )
    .query(({ ctx }) => exportAccount(ctx.deps, ctx.principal)),
};
