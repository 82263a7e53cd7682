import { z } from 'zod';
import { Id } from '../schemas.ts';
import { API_KEY_SCOPES, DNS_PROVIDERS, TUNNEL_PROTOCOLS } from '../vocabulary.ts';

/* What the rows of the audit log hold, by what they are about. */

export const Moment = z.iso.datetime();
export const Role = z.string().meta({ example: 'member' });
export const text = z.string();
const optionalText = z.string().nullable();

export const apiKeyFields = {
  name: text,
  scope: z.enum(API_KEY_SCOPES),
  permissions: z.array(text).nullable(),
  allowedIps: z.array(text).nullable(),
  expiresAt: Moment.nullable(),
};
export const organizationFields = z
  .strictObject({
    name: text,
    handle: text,
    description: optionalText,
    logo: optionalText,
    active: z.boolean(),
    defaultRole: Role.nullable(),
    avatarUrl: optionalText,
  })
  .partial();
export const memberFields = z.strictObject({ userId: Id, role: Role });
export const memberChange = memberFields.extend({ isDefault: z.boolean() }).partial();
export const invitationList = z.strictObject({
  invitations: z.array(z.strictObject({ id: Id, email: text, role: Role })),
});
export const invitationTerms = z.strictObject({ inviterId: Id, expiresAt: Moment });
export const sshKeyFields = z.strictObject({
  name: text,
  description: optionalText,
  type: text,
  fingerprint: text,
  hasPrivateKey: z.boolean(),
});
export const sshKeyWords = z.strictObject({
  name: text,
  description: optionalText,
  lastUsedAt: Moment.nullable(),
});

export const customRoleFields = z.strictObject({
  name: text,
  permissions: z.record(text, z.array(text)),
});

export const tunnelDeviceFields = z.strictObject({ name: text, ipAddress: optionalText });
export const tunnelAllocationFields = z.strictObject({
  deviceId: Id,
  host: text,
  protocol: z.enum(TUNNEL_PROTOCOLS),
  publicPort: z.int(),
  targetPort: z.int(),
});
export const dnsZoneFields = z.strictObject({
  name: text,
  provider: z.enum(DNS_PROVIDERS),
  dnssec: z.boolean(),
});
export const dnsRecordFields = z.strictObject({
  name: text,
  type: text,
  content: text,
  ttl: z.number().int(),
});
export const deploymentFields = z.strictObject({
  name: text,
  subdomain: text,
  baseDomain: text,
  componentType: text,
  hostingType: text,
  status: text,
});
export const licenseFields = z.strictObject({
  plan: text,
  expiresAt: Moment.nullable(),
  active: z.boolean(),
});
export const servingLicense = licenseFields.extend({ licenseId: Id });
const amount = z.number().int();
export const nodeFields = z.strictObject({
  name: text,
  address: optionalText,
  pool: text,
  memoryMb: amount,
  diskMb: amount,
  cpuPercent: amount,
  draining: z.boolean(),
});
export const serverFields = z.strictObject({
  name: text,
  nodeId: Id,
  memoryMb: amount,
  diskMb: amount,
  cpuPercent: amount,
  desiredState: text,
});
export const serverState = z.strictObject({ desiredState: text });
