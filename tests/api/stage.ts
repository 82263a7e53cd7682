import { expect, vi } from 'vitest';
import type { Mail } from '../../src/domain/mail.ts';
import { encryptText } from '../../src/kernel/encryption.ts';
import { newId } from '../../src/kernel/ids.ts';
import { hashSecret, keyedHash, newSecret } from '../../src/kernel/secrets.ts';
import { newUserCode } from '../../src/kernel/user-codes.ts';
import { newWebhookSecret } from '../../src/kernel/webhook-signature.ts';
import { type Harness, PASSWORD, type TestUser } from '../support/harness.ts';
import { newPublicKey } from '../support/ssh-keys.ts';

/* One organization with somebody in every role, and a valid input for every procedure. */

export type Cast = Record<
  'root' | 'owner' | 'admin' | 'custom' | 'member' | 'target' | 'outsider' | 'foreigner' | 'host',
  TestUser
>;

/** The people, made once: `target` is a plain member, `outsider` belongs nowhere, `host` invites everybody. */
export async function createCast(h: Harness): Promise<Cast> {
  const root = await h.user(); // the first account is the rootAdmin
  const [owner, admin, custom] = [await h.user(), await h.user(), await h.user()];
  const [member, target] = [await h.user(), await h.user()];
  const [outsider, foreigner, host] = [await h.user(), await h.user(), await h.user()];
  await leaveEverything(h, outsider);
  return { root, owner, admin, custom, member, target, outsider, foreigner, host };
}

export async function leaveEverything(h: Harness, user: TestUser): Promise<void> {
  await h.sql`delete from organizations where owner_id = ${user.id}`;
  await h.sql`delete from memberships where user_id = ${user.id}`;
}

/** @returns what opens the sessions that there are now again, once a procedure has ended them */
export async function keepSessions(h: Harness): Promise<() => Promise<void>> {
  await h.sql`create table kept_sessions as select * from sessions`;
  return async () => {
    await h.sql`insert into sessions select * from kept_sessions on conflict do nothing`;
  };
}

/** The role that `custom` has; made of nothing until a test says otherwise. */
export const CUSTOM_ROLE = 'Custom';

/** Makes a custom role, where there is none of the name. @returns the name */
export async function newRoleOf(
  h: Harness,
  organizationId: string,
  name: string,
  permissions: string[] = [],
): Promise<string> {
  await h.sql`insert into custom_roles (id, organization_id, name, permissions)
    values (${newId()}, ${organizationId}, ${name}, ${h.sql.json(permissions)}) on conflict do nothing`;
  return name;
}

/** A role that nobody has and anybody may give. */
const emptyRole = (h: Harness, { organizationId }: Stage): Promise<string> =>
  newRoleOf(h, organizationId, 'Nothing');

export type Stage = { organizationId: string; memberIds: Record<'admin' | 'member' | 'target', string> };

export async function createStage(h: Harness, cast: Cast): Promise<Stage> {
  const { id: organizationId } = await h.organization(cast.owner);
  const memberIds = { admin: newId(), member: newId(), target: newId() };
  await newRoleOf(h, organizationId, CUSTOM_ROLE);
  await h.sql`insert into memberships ${h.sql([
    { id: memberIds.admin, organization_id: organizationId, user_id: cast.admin.id, role: 'admin' },
    { id: newId(), organization_id: organizationId, user_id: cast.custom.id, role: CUSTOM_ROLE },
    { id: memberIds.member, organization_id: organizationId, user_id: cast.member.id, role: 'member' },
    { id: memberIds.target, organization_id: organizationId, user_id: cast.target.id, role: 'member' },
  ])}`;
  return { organizationId, memberIds };
}

let strangers = 0;
export const newAddress = (): string => `stranger${++strangers}@example.org`;

export async function invite(by: TestUser, organizationId: string, email = newAddress(), role = 'member') {
  const { status, body } = await by.post('organization.inviteMember', { organizationId, email, role });
  expect(status).toBe(200);
  return { id: body.id as string, email };
}

const PATIENCE = { timeout: 10_000, interval: 10 };

/** Resolves when so many statements wait for a lock that a test holds. */
export function untilBlocked(h: Harness, count: number): Promise<void> {
  return vi.waitFor(async () => {
    const waiting = await h.sql`select 1 from pg_stat_activity
      where datname = current_database() and wait_event_type = 'Lock'`;
    expect(waiting).toHaveLength(count);
  }, PATIENCE);
}

/** How often two statements were seen that wait for each other, until it is over. */
export async function standstillsUntil(h: Harness, over: Promise<unknown>): Promise<number> {
  let isOver = false;
  const ending = over.finally(() => {
    isOver = true;
  });
  let seen = 0;
  while (!isOver) {
    const rows = await h.sql`
      select 1 from pg_stat_activity one, pg_stat_activity other
      where one.datname = current_database() and one.pid = any(pg_blocking_pids(other.pid))
        and other.pid = any(pg_blocking_pids(one.pid))`;
    seen += rows.length;
  }
  await ending;
  return seen;
}

/** The newest mail to an address, once it has left. Mails of one moment leave in any order: `says` tells them apart. */
export function mailTo(h: Harness, email: string, says = /(?:)/): Promise<Mail> {
  return vi.waitFor(async () => {
    await h.app.jobs.runDue();
    // The service's own runner may have taken the job and be at it still.
    const mail = h.mails.findLast(({ to, text }) => to === email && says.test(text));
    if (mail === undefined) throw new Error(`No mail to ${email}`);
    return mail;
  }, PATIENCE);
}

const LINK = /http:\S+\/invitation\?token=([\w-]+)/;

export async function linkFor(h: Harness, email: string): Promise<string> {
  return LINK.exec((await mailTo(h, email, LINK)).text)?.[0] ?? '';
}

export async function tokenFor(h: Harness, email: string): Promise<string> {
  return LINK.exec((await mailTo(h, email, LINK)).text)?.[1] ?? '';
}

async function newKeyOf(h: Harness, holder: TestUser): Promise<string> {
  const id = newId();
  await h.sql`insert into api_keys (id, user_id, name, start, key_hash, scope)
    values (${id}, ${holder.id}, 'spare', 'spare_', ${hashSecret(id)}, 'user')`;
  return id;
}

export async function newSessionOf(h: Harness, holder: TestUser): Promise<string> {
  const id = newId();
  await h.sql`insert into sessions (id, token, user_id, expires_at)
    values (${id}, ${newSecret()}, ${holder.id}, now() + interval '1 day')`;
  return id;
}

async function suspendedUser(h: Harness): Promise<string> {
  const { id } = await h.user();
  await h.sql`update users set suspended_at = now() where id = ${id}`;
  return id;
}

async function someOrganizationOf(h: Harness, holder: TestUser): Promise<string> {
  const [row] = await h.sql<{ organizationId: string }[]>`
    select organization_id from memberships where user_id = ${holder.id} order by is_default desc limit 1`;
  return row?.organizationId ?? newId();
}

/** An invitation for `holder` to an organization where he is no member. */
async function invitationFor(h: Harness, cast: Cast, holder: TestUser) {
  const { id } = await h.organization(cast.host);
  return invite(cast.host, id, holder.email);
}

/** A new SSH key of an organization. */
export async function newSshKeyOf(h: Harness, organizationId: string): Promise<string> {
  const id = newId();
  await h.sql`insert into ssh_keys (id, organization_id, name, public_key, type, bits, fingerprint)
    values (${id}, ${organizationId}, 'spare', ${newPublicKey()}, 'ssh-ed25519', 256, ${id})`;
  return id;
}

/** A webhook of an organization, at an address that nothing is ever sent to. */
export async function newWebhookOf(h: Harness, organizationId: string): Promise<string> {
  const id = newId();
  const secret = encryptText(h.app.deps.rules.secret, 'webhook', id, newWebhookSecret());
  await h.sql`insert into webhooks (id, organization_id, url, events, secret)
    values (${id}, ${organizationId}, 'https://192.0.2.1/', '["*"]', ${secret})`;
  return id;
}

const LICENSE_DAYS = 30;

/** A license and its key, of nobody or of an organization, whose former one it replaces. */
export async function newLicenseOf(
  h: Harness,
  organizationId: string | null = null,
  plan = 'paid',
): Promise<{ id: string; key: string }> {
  const [id, key] = [newId(), `license_${newSecret()}`];
  const expiresAt = new Date(h.app.deps.now().getTime() + LICENSE_DAYS * 86_400_000);
  if (organizationId !== null) {
    await h.sql`update licenses set organization_id = null where organization_id = ${organizationId}`;
  }
  await h.sql`insert into licenses (id, key_hash, plan, organization_id, expires_at)
    values (${id}, ${hashSecret(key)}, ${plan}, ${organizationId}, ${expiresAt})`;
  return { id, key };
}

/** A deployment of an organization, under a license of its own. */
export async function newDeploymentOf(
  h: Harness,
  organizationId: string,
  status = 'running',
): Promise<{ id: string; key: string }> {
  const id = newId();
  const license = await newLicenseOf(h, organizationId);
  await h.sql`insert into deployments
    (id, license_id, organization_id, name, subdomain, base_domain, component_type, hosting_type, status)
    values (${id}, ${license.id}, ${organizationId}, 'api', ${id}, 'example.net', 'api', 'hosted', ${status})`;
  return { id, key: license.key };
}

/** A node that was just heard of, and its token; `change` says what is otherwise. */
export async function newNode(
  h: Harness,
  change: Record<string, string | number | boolean | Date | null> = {},
): Promise<{ id: string; token: string }> {
  const [id, token] = [newId(), `node_${newSecret()}`];
  const capacity = { memory_mb: 1_000_000, disk_mb: 1_000_000, cpu_percent: 100_000 };
  const row = { id, name: id, pool: 'free_and_paid', ...capacity, last_heartbeat_at: h.app.deps.now() };
  await h.sql`insert into nodes ${h.sql({ ...row, token_hash: hashSecret(token), ...change })}`;
  return { id, token };
}

export const SIZE = { memoryMb: 512, diskMb: 1024, cpuPercent: 50 };

/** A server of an organization, on this node or one of its own. */
export async function newServerOf(h: Harness, organizationId: string, nodeId?: string): Promise<string> {
  const [id, on] = [newId(), nodeId ?? (await newNode(h)).id];
  const { memoryMb, diskMb, cpuPercent } = SIZE;
  await h.sql`insert into servers (id, organization_id, node_id, name, memory_mb, disk_mb, cpu_percent)
    values (${id}, ${organizationId}, ${on}, 'spare', ${memoryMb}, ${diskMb}, ${cpuPercent})`;
  await h.sql`update nodes set used_memory_mb = used_memory_mb + ${memoryMb},
    used_disk_mb = used_disk_mb + ${diskMb}, used_cpu_percent = used_cpu_percent + ${cpuPercent} where id = ${on}`;
  return id;
}

/** A node that is set aside for an organization. */
export const newNodeOf = async (h: Harness, organizationId: string): Promise<string> =>
  (await newNode(h, { organization_id: organizationId })).id;

/** An event that one of its webhooks was told. */
export async function newDeliveryOf(h: Harness, organizationId: string): Promise<string> {
  const id = newId();
  const webhookId = await newWebhookOf(h, organizationId);
  await h.sql`insert into webhook_deliveries (id, webhook_id, organization_id, event_id, event, body, status)
    values (${id}, ${webhookId}, ${organizationId}, ${newId()}, 'member.updated', '{}', 'delivered')`;
  return id;
}

/** A device that asks to be taken in, approved by somebody or by nobody yet. */
export async function newEnrolment(
  h: Harness,
  approval: { approvedBy?: string; organizationId?: string } = {},
): Promise<{ deviceCode: string; userCode: string }> {
  const [deviceCode, userCode] = [newSecret(), newUserCode()];
  const userCodeHash = keyedHash(h.app.deps.rules.secret, 'tunnel user code', userCode);
  const { approvedBy = null, organizationId = null } = approval;
  await h.sql`insert into tunnel_enrolments
      (id, device_code_hash, user_code_hash, name, status, approved_by, organization_id, poll_interval, expires_at)
    values (${newId()}, ${hashSecret(deviceCode)}, ${userCodeHash}, 'spare',
      ${approvedBy === null ? 'pending' : 'approved'}, ${approvedBy}, ${organizationId}, 5,
      ${new Date(Date.now() + h.clock.offset + 600_000)})`;
  return { deviceCode, userCode };
}

/** A tunnel device of an organization, or of a user. */
export async function newTunnelDeviceOf(
  h: Harness,
  owner: { organizationId: string } | { userId: string },
): Promise<{ id: string; token: string }> {
  const [id, token] = [newId(), `tunnel_${newSecret()}`];
  const columns = { organizationId: null, userId: null, ...owner };
  await h.sql`insert into tunnel_devices (id, user_id, organization_id, name, token_hash)
    values (${id}, ${columns.userId}, ${columns.organizationId}, 'spare', ${hashSecret(token)})`;
  return { id, token };
}

/** An open port of a new device of an organization, at a host where nobody else has any. */
export async function newTunnelAllocationOf(h: Harness, organizationId: string): Promise<string> {
  const id = newId();
  const device = await newTunnelDeviceOf(h, { organizationId });
  await h.sql`insert into tunnel_allocations
      (id, device_id, organization_id, host, protocol, public_port, target_port)
    values (${id}, ${device.id}, ${organizationId}, ${id}, 'tcp', 20000, 22)`;
  return id;
}

/** The zone that an organization has from the start. */
export async function zoneOf(h: Harness, organizationId: string): Promise<string> {
  const [zone] = await h.sql<{ id: string }[]>`
    select id from dns_zones where organization_id = ${organizationId} order by id limit 1`;
  return zone?.id ?? newId();
}

let zones = 0;
export const newZoneName = (): string => `zone${++zones}.example.org`;

let records = 0;
/** A new record in the zone that an organization has from the start. */
export async function newRecordOf(h: Harness, organizationId: string) {
  const [id, zoneId] = [newId(), await zoneOf(h, organizationId)];
  await h.sql`insert into dns_records (id, zone_id, name, type, content, ttl)
    values (${id}, ${zoneId}, ${`host${++records}`}, 'A', '192.0.2.1', 3600)`;
  return { zoneId, recordId: id };
}

/** One whose mail went out long enough ago to be sent again. */
export async function invitationOfYesterday(
  h: Harness,
  by: TestUser,
  organizationId: string,
  role = 'member',
): Promise<string> {
  const { id } = await invite(by, organizationId, newAddress(), role);
  await h.sql`update invitations set expires_at = expires_at - interval '1 day' where id = ${id}`;
  return id;
}

/** For every session and every key of the whole account. */
export async function makeActive(h: Harness, user: TestUser, organizationId: string): Promise<void> {
  await h.sql`update sessions set active_organization_id = ${organizationId} where user_id = ${user.id}`;
  await h.sql`update api_keys set active_organization_id = ${organizationId}
    where user_id = ${user.id} and scope = 'user'`;
}

/** A plain member with an account that owns nothing. */
async function newMemberOf(h: Harness, organizationId: string): Promise<string> {
  const [id, email] = [newId(), newAddress()];
  await h.sql`insert into users (id, email, name) values (${id}, ${email}, 'New')`;
  await h.sql`insert into memberships (id, organization_id, user_id, role)
    values (${newId()}, ${organizationId}, ${id}, 'member')`;
  return id;
}

/** The member becomes the owner, and the owner an admin. */
export const handOver = (h: Harness, organizationId: string, memberId: string) =>
  h.sql.begin(async (tx) => {
    await tx`update memberships set role = 'admin' where organization_id = ${organizationId} and role = 'owner'`;
    await tx`update memberships set role = 'owner' where id = ${memberId}`;
    await tx`update organizations set owner_id = (select user_id from memberships where id = ${memberId})
      where id = ${organizationId}`;
  });

const NO_REACH = ['Projects', 'Environments', 'Services', 'GitProviders', 'Servers'].map((what) => [
  `accessed${what}`,
  [],
]);
const OFF = [
  ...['canCreateProjects', 'canCreateServices', 'canDeleteProjects', 'canDeleteServices'],
  ...['canAccessToDocker', 'canAccessToTraefikFiles', 'canAccessToGitProviders'],
  ...['canDeleteEnvironments', 'canCreateEnvironments'],
].map((name) => [name, false]);
/** Dokploy's switches and lists, as they hold for every member here. */
export const FLAGS: Record<string, boolean | string[]> = {
  ...Object.fromEntries([...NO_REACH, ...OFF]),
  canAccessToAPI: true,
  canAccessToSSHKeys: true,
};
/** The smallest PNG: one transparent pixel. */
export const PICTURE = new Blob([
  Buffer.from(
    'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==',
    'base64',
  ),
]);

type Input = Record<string, unknown>;
type Setting = { h: Harness; cast: Cast; stage: Stage; holder: TestUser };

/** What `holder` could send to each procedure, were he allowed to. Made anew for each call. */
export const INPUTS: Record<string, (setting: Setting) => Input | Promise<Input>> = {
  'apiKey.all': () => ({}),
  'apiKey.create': () => ({ name: 'deploy' }),
  'apiKey.rotate': async ({ h, holder }) => ({ apiKeyId: await newKeyOf(h, holder) }),
  'apiKey.whoami': () => ({}),
  'apiKey.delete': async ({ h, holder }) => ({ apiKeyId: await newKeyOf(h, holder) }),
  'auditLog.all': ({ stage: { organizationId } }) => ({ organizationId }),
  'auditLog.export': ({ stage: { organizationId } }) => ({ organizationId }),
  'auditLog.verify': ({ stage: { organizationId } }) => ({ organizationId }),
  'customRole.all': ({ stage: { organizationId } }) => ({ organizationId }),
  'customRole.create': ({ stage: { organizationId } }) => ({
    organizationId,
    roleName: 'Support',
    permissions: {},
  }),
  'customRole.getStatements': ({ stage: { organizationId } }) => ({ organizationId }),
  'customRole.membersByRole': ({ stage: { organizationId } }) => ({ organizationId, roleName: 'member' }),
  'customRole.remove': async ({ h, stage }) => ({
    organizationId: stage.organizationId,
    roleName: await emptyRole(h, stage),
  }),
  'customRole.update': async ({ h, stage }) => ({
    organizationId: stage.organizationId,
    roleName: await emptyRole(h, stage),
    newRoleName: 'Renamed',
    permissions: {},
  }),
  'dnsRecord.all': async ({ h, stage: { organizationId } }) => ({
    organizationId,
    zoneId: await zoneOf(h, organizationId),
  }),
  'dnsRecord.create': async ({ h, stage: { organizationId } }) => ({
    organizationId,
    zoneId: await zoneOf(h, organizationId),
    name: 'www',
    type: 'A',
    content: '192.0.2.1',
  }),
  'dnsRecord.delete': async ({ h, stage: { organizationId } }) => ({
    organizationId,
    ...(await newRecordOf(h, organizationId)),
  }),
  'dnsRecord.one': async ({ h, stage: { organizationId } }) => ({
    organizationId,
    ...(await newRecordOf(h, organizationId)),
  }),
  'dnsRecord.update': async ({ h, stage: { organizationId } }) => ({
    organizationId,
    ...(await newRecordOf(h, organizationId)),
    content: '192.0.2.2',
  }),
  'dnsZone.all': ({ stage: { organizationId } }) => ({ organizationId }),
  'dnsZone.create': ({ stage: { organizationId } }) => ({ organizationId, name: newZoneName() }),
  'dnsZone.delete': async ({ h, stage: { organizationId } }) => ({
    organizationId,
    zoneId: await zoneOf(h, organizationId),
  }),
  'dnsZone.dnssec': async ({ h, stage: { organizationId } }) => ({
    organizationId,
    zoneId: await zoneOf(h, organizationId),
    enabled: true,
  }),
  'dnsZone.export': async ({ h, stage: { organizationId } }) => ({
    organizationId,
    zoneId: await zoneOf(h, organizationId),
  }),
  'dnsZone.import': async ({ h, stage: { organizationId } }) => ({
    organizationId,
    zoneId: await zoneOf(h, organizationId),
    zoneFile: 'mail 300 IN A 192.0.2.25',
  }),
  'dnsZone.one': async ({ h, stage: { organizationId } }) => ({
    organizationId,
    zoneId: await zoneOf(h, organizationId),
  }),
  'dnsZone.plan': async ({ h, stage: { organizationId } }) => ({
    organizationId,
    zoneId: await zoneOf(h, organizationId),
  }),
  'dnsZone.verify': async ({ h, stage: { organizationId } }) => ({
    organizationId,
    zoneId: await zoneOf(h, organizationId),
  }),
  'deployment.all': () => ({}),
  'deployment.create': async ({ h, stage: { organizationId } }) => ({
    organizationId,
    name: 'web',
    subdomain: newId(),
    baseDomain: 'example.net',
    componentType: 'client',
    parentDeploymentId: (await newDeploymentOf(h, organizationId)).id,
  }),
  'deployment.destroy': async ({ h, stage }) => ({
    deploymentId: (await newDeploymentOf(h, stage.organizationId, 'stopped')).id,
  }),
  'deployment.report': async ({ h, stage }) => {
    const { id: deploymentId, key } = await newDeploymentOf(h, stage.organizationId);
    return { deploymentId, key, health: 'healthy', version: '2.0.1' };
  },
  'deployment.stop': async ({ h, stage }) => ({
    deploymentId: (await newDeploymentOf(h, stage.organizationId)).id,
  }),
  'invitation.accept': async ({ h, cast, holder }) => ({
    invitationId: (await invitationFor(h, cast, holder)).id,
  }),
  'invitation.mine': () => ({}),
  'invitation.preview': async ({ h, cast }) => {
    const { id } = await h.organization(cast.host);
    return { token: await tokenFor(h, (await invite(cast.host, id)).email) };
  },
  'invitation.reject': async ({ h, cast, holder }) => ({
    invitationId: (await invitationFor(h, cast, holder)).id,
  }),
  'license.all': () => ({}),
  'license.create': () => ({ plan: 'paid', expiresAt: '2099-12-31T00:00:00.000Z' }),
  'license.delete': async ({ h }) => ({ licenseId: (await newLicenseOf(h)).id }),
  'license.one': async ({ h }) => ({ licenseId: (await newLicenseOf(h)).id }),
  'license.update': async ({ h, stage }) => ({
    licenseId: (await newLicenseOf(h, stage.organizationId)).id,
    plan: 'educational',
  }),
  'license.validate': async ({ h }) => ({ key: (await newLicenseOf(h)).key }),
  'node.all': () => ({}),
  'node.assignOrganization': async ({ h, stage: { organizationId } }) => {
    await newLicenseOf(h, organizationId, 'enterprise');
    return { nodeId: (await newNode(h)).id, organizationId };
  },
  'node.available': ({ stage: { organizationId } }) => ({ organizationId }),
  'node.create': () => ({ name: newId(), pool: 'paid', memoryMb: 65_536, diskMb: 500_000, cpuPercent: 1600 }),
  'node.heartbeat': async ({ h, stage }) => {
    const { id, token } = await newNode(h);
    return { token, servers: [{ id: await newServerOf(h, stage.organizationId, id), state: 'running' }] };
  },
  'node.one': async ({ h }) => ({ nodeId: (await newNode(h)).id }),
  'node.remove': async ({ h }) => ({ nodeId: (await newNode(h)).id }),
  'node.rotateToken': async ({ h }) => ({ nodeId: (await newNode(h)).id }),
  'node.unassignOrganization': async ({ h, stage }) => ({ nodeId: await newNodeOf(h, stage.organizationId) }),
  'node.update': async ({ h }) => ({ nodeId: (await newNode(h)).id, draining: true }),
  'organization.active': () => ({}),
  'organization.all': () => ({}),
  'organization.allInvitations': ({ stage: { organizationId } }) => ({ organizationId }),
  'organization.checkHandle': () => ({ handle: 'free.example.org' }),
  'organization.create': () => ({ name: 'New' }),
  'organization.delete': ({ stage: { organizationId } }) => ({ organizationId }),
  'organization.inviteMember': async ({ h, stage }) => ({
    organizationId: stage.organizationId,
    email: newAddress(),
    role: await emptyRole(h, stage),
  }),
  'organization.addMember': async ({ h, stage }) => ({
    organizationId: stage.organizationId,
    email: newAddress(),
    role: await emptyRole(h, stage),
  }),
  'organization.deletePreview': ({ stage: { organizationId } }) => ({ organizationId }),
  'organization.invitationLink': async ({ h, cast, stage }) => {
    const role = await emptyRole(h, stage);
    return { invitationId: (await invite(cast.owner, stage.organizationId, newAddress(), role)).id };
  },
  'organization.inviteMembers': async ({ h, stage }) => {
    const role = await emptyRole(h, stage);
    const invitations = [newAddress(), newAddress()].map((email) => ({ email, role }));
    return { organizationId: stage.organizationId, invitations };
  },
  'organization.leave': async ({ h, cast, stage: { organizationId, memberIds }, holder }) => {
    if (holder.id === cast.owner.id) await handOver(h, organizationId, memberIds.admin);
    return { organizationId };
  },
  'organization.members': ({ stage: { organizationId } }) => ({ organizationId, search: 'user' }),
  'organization.removeMember': ({ stage }) => ({ memberId: stage.memberIds.target }),
  'organization.transferOwnership': ({ stage: { organizationId, memberIds } }) => ({
    organizationId,
    memberId: memberIds.target,
    currentPassword: PASSWORD,
  }),
  'organization.one': ({ stage: { organizationId } }) => ({ organizationId }),
  'organization.removeAvatar': ({ stage: { organizationId } }) => ({ organizationId }),
  'organization.removeInvitation': async ({ cast, stage }) => ({
    invitationId: (await invite(cast.owner, stage.organizationId)).id,
  }),
  'organization.setActive': ({ stage: { organizationId } }) => ({ organizationId }),
  'organization.setDefault': ({ stage: { organizationId } }) => ({ organizationId }),
  'organization.update': ({ stage: { organizationId } }) => ({ organizationId, name: 'Renamed' }),
  'organization.updateMemberRole': async ({ h, stage }) => ({
    memberId: stage.memberIds.target,
    role: await emptyRole(h, stage),
  }),
  'organization.assignLicense': async ({ h, stage: { organizationId } }) => ({
    organizationId,
    licenseId: (await newLicenseOf(h)).id,
  }),
  'organization.deployments': ({ stage: { organizationId } }) => ({ organizationId }),
  'organization.license': ({ stage: { organizationId } }) => ({ organizationId }),
  'organization.unassignLicense': async ({ h, stage: { organizationId } }) => {
    await newLicenseOf(h, organizationId);
    return { organizationId };
  },
  'permission.explain': () => ({ permission: 'organization:read' }),
  'permission.simulate': ({ stage: { organizationId } }) => ({ organizationId, role: 'member' }),
  'portal.tiers': () => ({}),
  'server.all': ({ stage: { organizationId } }) => ({ organizationId }),
  'server.count': ({ stage: { organizationId } }) => ({ organizationId }),
  'server.create': async ({ h, stage: { organizationId } }) => ({
    organizationId,
    name: 'web',
    ...SIZE,
    nodeId: (await newNode(h)).id,
  }),
  'server.one': async ({ h, stage }) => ({ serverId: await newServerOf(h, stage.organizationId) }),
  'server.remove': async ({ h, stage }) => ({ serverId: await newServerOf(h, stage.organizationId) }),
  'server.setState': async ({ h, stage }) => ({
    serverId: await newServerOf(h, stage.organizationId),
    state: 'stopped',
  }),
  'server.update': async ({ h, stage }) => ({
    serverId: await newServerOf(h, stage.organizationId),
    name: 'renamed',
    memoryMb: 1024,
  }),
  'session.all': () => ({}),
  'session.logout': () => ({}),
  'session.logoutAll': () => ({}),
  'session.revoke': async ({ h, holder }) => ({ sessionId: await newSessionOf(h, holder) }),
  'settings.get': () => ({}),
  'organization.uploadAvatar': ({ stage: { organizationId } }) => ({ organizationId, file: PICTURE }),
  'settings.health': () => ({}),
  'settings.update': () => ({ minimumAge: 13 }),
  'sshKey.all': ({ stage: { organizationId } }) => ({ organizationId }),
  'sshKey.create': ({ stage: { organizationId } }) => ({
    organizationId,
    name: 'deploy',
    publicKey: newPublicKey(),
  }),
  'sshKey.generate': () => ({}),
  'sshKey.one': async ({ h, stage }) => ({ sshKeyId: await newSshKeyOf(h, stage.organizationId) }),
  'sshKey.remove': async ({ h, stage }) => ({ sshKeyId: await newSshKeyOf(h, stage.organizationId) }),
  'sshKey.update': async ({ h, stage }) => ({
    sshKeyId: await newSshKeyOf(h, stage.organizationId),
    name: 'renamed',
  }),
  'organization.resendInvitation': async ({ h, cast, stage }) => ({
    invitationId: await invitationOfYesterday(h, cast.owner, stage.organizationId, await emptyRole(h, stage)),
  }),
  'tunnelAllocation.all': ({ stage: { organizationId } }) => ({ organizationId }),
  'tunnelAllocation.close': async ({ h, stage }) => ({
    allocationId: await newTunnelAllocationOf(h, stage.organizationId),
  }),
  'tunnelAllocation.create': async ({ h, stage }) => ({
    deviceId: (await newTunnelDeviceOf(h, { organizationId: stage.organizationId })).id,
    protocol: 'tcp',
    targetPort: 22,
  }),
  'tunnelDevice.all': ({ stage: { organizationId } }) => ({ organizationId }),
  'tunnelDevice.allocations': async ({ h, stage }) => ({
    token: (await newTunnelDeviceOf(h, { organizationId: stage.organizationId })).token,
  }),
  'tunnelDevice.approve': async ({ h, stage: { organizationId } }) => ({
    organizationId,
    userCode: (await newEnrolment(h)).userCode,
  }),
  'tunnelDevice.deny': async ({ h }) => ({ userCode: (await newEnrolment(h)).userCode }),
  'tunnelDevice.poll': async ({ h, cast, stage: { organizationId } }) => ({
    deviceCode: (await newEnrolment(h, { approvedBy: cast.owner.id, organizationId })).deviceCode,
  }),
  'tunnelDevice.preview': async ({ h }) => ({ userCode: (await newEnrolment(h)).userCode }),
  'tunnelDevice.remove': async ({ h, stage }) => ({
    deviceId: (await newTunnelDeviceOf(h, { organizationId: stage.organizationId })).id,
  }),
  'tunnelDevice.start': () => ({ name: 'gateway' }),
  'user.all': ({ stage: { organizationId } }) => ({ organizationId }),
  'user.assignPermissions': ({ cast, stage: { organizationId } }) => ({
    organizationId,
    id: cast.target.id,
    ...FLAGS,
  }),
  'user.checkUserOrganizations': () => ({ userId: 'me' }),
  'user.createApiKey': async ({ h, holder }) => ({
    name: 'deploy',
    metadata: { organizationId: await someOrganizationOf(h, holder) },
  }),
  'user.deleteApiKey': async ({ h, holder }) => ({ apiKeyId: await newKeyOf(h, holder) }),
  'user.createUserWithCredentials': () => ({ email: newAddress(), password: PASSWORD, role: 'member' }),
  'user.export': () => ({}),
  'user.generateToken': () => ({}),
  'user.get': () => ({}),
  'user.listSessions': () => ({}),
  'user.me': () => ({}),
  'user.one': () => ({ userId: 'me' }),
  'user.revokeSession': async ({ h, holder }) => ({ sessionId: await newSessionOf(h, holder) }),
  'user.register': () => ({
    email: newAddress(),
    password: PASSWORD,
    firstName: 'Ada',
    lastName: 'Lovelace',
  }),
  'user.getInvitations': () => ({}),
  'user.getPermissions': () => ({}),
  'user.getUserByToken': async ({ h, cast }) => {
    const { id } = await h.organization(cast.host);
    return { token: await tokenFor(h, (await invite(cast.host, id)).email) };
  },
  'user.haveRootAccess': () => ({}),
  'user.remove': async ({ h, stage: { organizationId }, holder }) => {
    await makeActive(h, holder, organizationId);
    return { userId: await newMemberOf(h, organizationId) };
  },
  'user.sendInvitation': async ({ h, cast, stage }) => ({
    invitationId: await invitationOfYesterday(h, cast.owner, stage.organizationId, await emptyRole(h, stage)),
    notificationId: 'mail',
  }),
  'user.session': () => ({}),
  'user.setPlatformRole': async ({ h }) => ({ userId: (await h.user()).id, role: 'staff' }),
  'user.suspend': async ({ h }) => ({ userId: (await h.user()).id, reason: 'Spam' }),
  'user.unsuspend': async ({ h }) => ({ userId: await suspendedUser(h) }),
  'user.update': () => ({ displayName: 'Somebody' }),
  'user.removeAvatar': () => ({}),
  'user.uploadAvatar': () => ({ file: PICTURE }),
  'webhook.all': ({ stage: { organizationId } }) => ({ organizationId }),
  'webhook.create': ({ stage: { organizationId } }) => ({
    organizationId,
    url: 'https://hooks.example.org/tenantry',
    active: false, // no name server is asked
  }),
  'webhook.delete': async ({ h, stage }) => ({ webhookId: await newWebhookOf(h, stage.organizationId) }),
  'webhook.deliveries': async ({ h, stage }) => ({ webhookId: await newWebhookOf(h, stage.organizationId) }),
  'webhook.events': () => ({}),
  'webhook.redeliver': async ({ h, stage }) => ({
    deliveryId: await newDeliveryOf(h, stage.organizationId),
  }),
  'webhook.test': async ({ h, stage }) => ({ webhookId: await newWebhookOf(h, stage.organizationId) }),
  'webhook.update': async ({ h, stage }) => ({
    webhookId: await newWebhookOf(h, stage.organizationId),
    description: 'changed',
  }),
};

/** For these the caller must belong to some organization. */
export const NEED_MEMBERSHIP = new Set([
  'apiKey.create',
  'permission.explain',
  'user.createApiKey',
  'user.get',
]);
