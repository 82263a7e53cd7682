/** What belongs to an organization: where it is kept, and what errors call it. */
export const OWNED = {
  member: { table: 'memberships', name: 'Member' },
  invitation: { table: 'invitations', name: 'Invitation' },
  sshKey: { table: 'ssh_keys', name: 'SSH key' },
  tunnelDevice: { table: 'tunnel_devices', name: 'Tunnel device' },
  tunnelAllocation: { table: 'tunnel_allocations', name: 'Tunnel allocation' },
  webhook: { table: 'webhooks', name: 'Webhook' },
  webhookDelivery: { table: 'webhook_deliveries', name: 'Delivery' },
  deployment: { table: 'deployments', name: 'Deployment' },
  server: { table: 'servers', name: 'Server' },
} as const;
export type OwnedKind = keyof typeof OWNED;

/** What of these may also belong to a user. */
const OF_USERS = ['sshKey', 'tunnelDevice', 'tunnelAllocation'] as const satisfies OwnedKind[];
export type OfUserKind = (typeof OF_USERS)[number];
export const canBeOfUser = (kind: string): kind is OfUserKind => OF_USERS.some((one) => one === kind);

/** Where a call happens, as far as its input says: in an organization, or in that of a thing that belongs to one. */
export type Place = { kind: 'organization' | OwnedKind; id: string };

/** What a call is going to ask, so that it can be read in one statement with who calls. */
export type Prospect = { place: Place | null; settings: boolean };
export const NO_PROSPECT: Prospect = { place: null, settings: false };
