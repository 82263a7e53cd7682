import { z } from 'zod';
import { Id } from '../schemas.ts';
import {
  apiKeyFields,
  customRoleFields,
  deploymentFields,
  dnsRecordFields,
  dnsZoneFields,
  invitationList,
  invitationTerms,
  licenseFields,
  Moment,
  memberChange,
  memberFields,
  nodeFields,
  organizationFields,
  Role,
  serverFields,
  serverState,
  servingLicense,
  sshKeyFields,
  sshKeyWords,
  text,
  tunnelAllocationFields,
  tunnelDeviceFields,
} from './fields.ts';

/*
 * The catalogue: every event that webhooks are told, and what it carries. An event is a row of the audit log as its
 * organization's webhooks see it, so `before` and `after` are the fields that the row holds; never a secret.
 */

export type Definition = {
  /** The audit row that it is made from. */
  resourceType: string;
  action: string;
  description: string;
  before?: z.ZodType;
  after?: z.ZodType;
};

export const EVENTS = {
  'apiKey.created': {
    resourceType: 'apiKey',
    action: 'create',
    description: 'An API key was made that acts on the organization.',
    after: z.strictObject(apiKeyFields),
  },
  'apiKey.deleted': {
    resourceType: 'apiKey',
    action: 'delete',
    description: 'An API key was deleted.',
    before: z.strictObject({ name: text, scope: apiKeyFields.scope }),
  },
  'apiKey.rotated': {
    resourceType: 'apiKey',
    action: 'rotate',
    description: 'An API key was replaced by a new one.',
    after: z.strictObject({ name: text, previousKeyExpiresAt: Moment.nullable() }),
  },
  'customRole.created': {
    resourceType: 'customRole',
    action: 'create',
    description: 'A role of the organization was made.',
    after: customRoleFields,
  },
  'customRole.deleted': {
    resourceType: 'customRole',
    action: 'delete',
    description: 'A role of the organization was removed.',
    before: customRoleFields,
  },
  'customRole.updated': {
    resourceType: 'customRole',
    action: 'update',
    description: 'A role of the organization got another name or other rights.',
    before: customRoleFields,
    after: customRoleFields,
  },
  'dnsRecord.created': {
    resourceType: 'dnsRecord',
    action: 'create',
    description:
      'A DNS record was added; `before` is the TTL that others of its name and type had so far, where it changed.',
    before: dnsRecordFields.omit({ content: true }),
    after: dnsRecordFields,
  },
  'dnsRecord.deleted': {
    resourceType: 'dnsRecord',
    action: 'delete',
    description: 'A DNS record was deleted.',
    before: dnsRecordFields,
  },
  'dnsRecord.updated': {
    resourceType: 'dnsRecord',
    action: 'update',
    description: 'A DNS record changed.',
    before: dnsRecordFields.extend({ ttlOfOthers: dnsRecordFields.shape.ttl.optional() }),
    after: dnsRecordFields,
  },
  'dnsZone.created': {
    resourceType: 'dnsZone',
    action: 'create',
    description: 'A DNS zone was added.',
    after: dnsZoneFields,
  },
  'dnsZone.deleted': {
    resourceType: 'dnsZone',
    action: 'delete',
    description: 'A DNS zone was deleted with its records.',
    before: dnsZoneFields,
  },
  'dnsZone.imported': {
    resourceType: 'dnsZone',
    action: 'import',
    description: 'Records were taken in from a zone file; they are counted.',
    after: z.strictObject({
      mode: z.enum(['merge', 'replace']),
      added: z.number().int(),
      updated: z.number().int(),
      removed: z.number().int(),
    }),
  },
  'dnsZone.updated': {
    resourceType: 'dnsZone',
    action: 'update',
    description: 'A DNS zone is to be signed, or not any more.',
    before: dnsZoneFields,
    after: dnsZoneFields,
  },
  'dnsZone.verified': {
    resourceType: 'dnsZone',
    action: 'verify',
    description: 'Somebody had a domain looked at, and what was found.',
    after: z.strictObject({
      verified: z.boolean(),
      proof: z.enum(['delegation', 'challenge']).nullable(),
    }),
  },
  'deployment.created': {
    resourceType: 'deployment',
    action: 'create',
    description: 'A deployment was added under the license of the organization.',
    after: deploymentFields,
  },
  'deployment.destroyed': {
    resourceType: 'deployment',
    action: 'destroy',
    description: 'A deployment was ended for good.',
    before: deploymentFields,
    after: deploymentFields,
  },
  'deployment.stopped': {
    resourceType: 'deployment',
    action: 'stop',
    description: 'A deployment was stopped.',
    before: deploymentFields,
    after: deploymentFields,
  },
  'invitation.accepted': {
    resourceType: 'invitation',
    action: 'accept',
    description: 'An invited person joined.',
    after: z.strictObject({ memberId: Id, role: Role }),
  },
  'invitation.created': {
    resourceType: 'invitation',
    action: 'create',
    description: 'Somebody was invited.',
    after: z.strictObject({ email: text, role: Role, expiresAt: Moment }),
  },
  'invitation.createdMany': {
    resourceType: 'invitation',
    action: 'createMany',
    description: 'Several people were invited at once.',
    after: invitationList,
  },
  'invitation.deleted': {
    resourceType: 'invitation',
    action: 'delete',
    description: 'An invitation was withdrawn.',
    before: z.strictObject({ email: text, role: Role, status: text }),
  },
  'invitation.deletedMany': {
    resourceType: 'invitation',
    action: 'deleteMany',
    description: 'The open invitations that an account had sent ended with it.',
    before: invitationList,
  },
  'invitation.linked': {
    resourceType: 'invitation',
    action: 'link',
    description: 'An invitation got a new link, to be handed over without a mail.',
    before: invitationTerms,
    after: invitationTerms,
  },
  'invitation.rejected': {
    resourceType: 'invitation',
    action: 'reject',
    description: 'An invited person declined.',
  },
  'invitation.resent': {
    resourceType: 'invitation',
    action: 'resend',
    description: 'An invitation was sent again, with a new link.',
    before: invitationTerms,
    after: invitationTerms,
  },
  'license.assigned': {
    resourceType: 'license',
    action: 'assign',
    description: 'A license serves the organization from now on; `before` is the one that did so far.',
    before: servingLicense,
    after: servingLicense,
  },
  'license.unassigned': {
    resourceType: 'license',
    action: 'unassign',
    description: 'The license of the organization was taken back.',
    before: servingLicense,
  },
  'license.updated': {
    resourceType: 'license',
    action: 'update',
    description: 'The license that serves the organization changed. Its end by the clock is no event.',
    before: licenseFields,
    after: licenseFields,
  },
  'member.created': {
    resourceType: 'member',
    action: 'create',
    description: 'Staff of the installation added somebody.',
    after: memberFields,
  },
  'member.left': {
    resourceType: 'member',
    action: 'leave',
    description: 'A member left, or deleted his account.',
    before: memberFields,
  },
  'member.deleted': {
    resourceType: 'member',
    action: 'delete',
    description: 'A member was removed, or an administrator of the installation deleted his account.',
    before: memberFields,
  },
  'member.updated': {
    resourceType: 'member',
    action: 'update',
    description: 'A member’s role changed, or the member made the organization the default one.',
    before: memberChange,
    after: memberChange,
  },
  'node.assigned': {
    resourceType: 'node',
    action: 'assign',
    description: 'A node was set aside for the organization.',
    after: nodeFields,
  },
  'node.unassigned': {
    resourceType: 'node',
    action: 'unassign',
    description: 'A node is set aside for the organization no more.',
    before: nodeFields,
  },
  'organization.transferred': {
    resourceType: 'organization',
    action: 'transferOwnership',
    description: 'The organization has another owner.',
    before: z.strictObject({ ownerId: Id }),
    after: z.strictObject({ ownerId: Id, email: text, formerRole: Role }),
  },
  'organization.updated': {
    resourceType: 'organization',
    action: 'update',
    description: 'The organization changed. Fields that the change could not touch may be absent.',
    before: organizationFields,
    after: organizationFields,
  },
  'server.created': {
    resourceType: 'server',
    action: 'create',
    description: 'A server was placed on a node.',
    after: serverFields,
  },
  'server.deleted': {
    resourceType: 'server',
    action: 'delete',
    description: 'A server was removed.',
    before: serverFields,
  },
  'server.stateSet': {
    resourceType: 'server',
    action: 'setState',
    description: 'Somebody started or stopped a server. What its node reports is no event.',
    before: serverState,
    after: serverState,
  },
  'server.updated': {
    resourceType: 'server',
    action: 'update',
    description: 'A server got another name or size.',
    before: serverFields,
    after: serverFields,
  },
  'sshKey.created': {
    resourceType: 'sshKey',
    action: 'create',
    description: 'An SSH key of the organization was added.',
    after: sshKeyFields,
  },
  'sshKey.deleted': {
    resourceType: 'sshKey',
    action: 'delete',
    description: 'An SSH key of the organization was removed.',
    before: sshKeyFields,
  },
  'sshKey.updated': {
    resourceType: 'sshKey',
    action: 'update',
    description: 'What is said about an SSH key of the organization changed.',
    before: sshKeyWords,
    after: sshKeyWords,
  },
  'tunnelAllocation.closed': {
    resourceType: 'tunnelAllocation',
    action: 'close',
    description: 'A public port was closed. When its device is removed, that event tells of it.',
    before: tunnelAllocationFields,
  },
  'tunnelAllocation.created': {
    resourceType: 'tunnelAllocation',
    action: 'create',
    description: 'A public port was opened that leads to a tunnel device.',
    after: tunnelAllocationFields,
  },
  'tunnelDevice.approved': {
    resourceType: 'tunnelDevice',
    action: 'approve',
    description: 'A tunnel device was let in, and may fetch its token.',
    after: tunnelDeviceFields,
  },
  'tunnelDevice.created': {
    resourceType: 'tunnelDevice',
    action: 'create',
    description: 'A tunnel device has fetched its token; the actor is who let it in.',
    after: tunnelDeviceFields,
  },
  'tunnelDevice.deleted': {
    resourceType: 'tunnelDevice',
    action: 'delete',
    description: 'A tunnel device was removed, with its allocations.',
    before: tunnelDeviceFields.extend({ allocations: z.int() }),
  },
  'user.created': {
    resourceType: 'user',
    action: 'create',
    description: 'An administrator of the installation made an account as a member of the organization.',
    after: z.strictObject({ email: text, emailVerified: z.boolean(), memberId: Id, role: Role }),
  },
  'webhook.test': {
    resourceType: 'webhook',
    action: 'test',
    description:
      'Somebody asked for a test; only the webhook that is tested is told, whatever it listens to.',
  },
} satisfies Record<string, Definition>;
