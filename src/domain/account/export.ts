import type {
  knownClients,
  sessions,
  sshKeys,
  tunnelAllocations,
  tunnelDevices,
  users,
} from '../../db/schema/index.ts';
import { unauthorized } from '../../kernel/errors.ts';
import { type ApiKey, listApiKeys } from '../api-key/index.ts';
import type { AuditEntry } from '../audit/index.ts';
import type { Deps } from '../deps.ts';
import { myInvitations, type OpenInvitation, sentInvitations } from '../invitation/index.ts';
import type { OwnMembership } from '../organization/index.ts';
import type { Principal } from '../principal.ts';

/** Newest rows of what grows without end. */
const MAX_ROWS = 1000;

export type AccountExport = {
  exportedAt: Date;
  profile: typeof users.$inferSelect;
  memberships: (OwnMembership & { organizationName: string; organizationHandle: string })[];
  apiKeys: ApiKey[];
  sshKeys: (Omit<typeof sshKeys.$inferSelect, 'userId' | 'organizationId' | 'privateKey'> & {
    hasPrivateKey: boolean;
  })[];
  tunnelDevices: Omit<typeof tunnelDevices.$inferSelect, 'userId' | 'organizationId' | 'tokenHash'>[];
  tunnelAllocations: Omit<typeof tunnelAllocations.$inferSelect, 'userId' | 'organizationId'>[];
  sessions: Omit<typeof sessions.$inferSelect, 'token' | 'userId' | 'activeOrganizationId' | 'updatedAt'>[];
  knownClients: Omit<typeof knownClients.$inferSelect, 'userId'>[];
  invitations: { sent: OpenInvitation[]; received: OpenInvitation[] };
  auditLog: AuditEntry[];
};

/**
 * Everything that is kept of the caller's account, without secrets and their hashes. Invitations are the open ones;
 * those to an address that is not verified are nobody's yet. A fixed number of statements.
 */
export async function exportAccount(deps: Deps, principal: Principal): Promise<AccountExport> {
  const { userId } = principal;
  const own = await deps.db.query(async (sql) => ({
    profile: await sql<AccountExport['profile'][]>`select * from users where id = ${userId}`,
    memberships: await sql<AccountExport['memberships']>`
      select m.*, o.name as organization_name, o.handle as organization_handle
      from memberships m join organizations o on o.id = m.organization_id
      where m.user_id = ${userId} order by m.id`,
    sshKeys: await sql<AccountExport['sshKeys']>`
      select id, name, description, public_key, type, bits, fingerprint, private_key is not null as has_private_key,
        last_used_at, created_at
      from ssh_keys where user_id = ${userId} order by id`,
    tunnelDevices: await sql<AccountExport['tunnelDevices']>`
      select id, name, ip_address, last_seen_at, created_at
      from tunnel_devices where user_id = ${userId} order by id`,
    tunnelAllocations: await sql<AccountExport['tunnelAllocations']>`
      select id, device_id, host, protocol, public_port, target_port, created_at
      from tunnel_allocations where user_id = ${userId} order by id`,
    sessions: await sql<AccountExport['sessions']>`
      select id, ip_address, user_agent, last_seen_at, remembered, expires_at, created_at
      from sessions where user_id = ${userId} order by id desc limit ${MAX_ROWS}`,
    knownClients: await sql<AccountExport['knownClients']>`
      select client, created_at from known_clients
      where user_id = ${userId} order by created_at desc limit ${MAX_ROWS}`,
    auditLog: await sql<AuditEntry[]>`
      select * from audit_log where user_id = ${userId} order by id desc limit ${MAX_ROWS}`,
  }));
  const newest = { limit: MAX_ROWS, cursor: null };
  const [profile] = own.profile;
  if (profile === undefined) throw unauthorized('account_gone', 'This account no longer exists.');
  return {
    ...own,
    exportedAt: deps.now(),
    profile,
    apiKeys: await listApiKeys(deps, principal, newest),
    invitations: {
      sent: (await sentInvitations(deps, principal, newest)).items,
      received: principal.emailVerified ? (await myInvitations(deps, principal, newest)).items : [],
    },
  };
}
