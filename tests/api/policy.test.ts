import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { newId } from '../../src/kernel/ids.ts';
import {
  can,
  canOnPlatform,
  isPermission,
  type Permission,
  type PlatformRight,
  type RoleGrant,
  roleOf,
} from '../../src/kernel/permissions.ts';
import { type Caller, createHarness, type Harness, UNLIMITED } from '../support/harness.ts';
import { call, type Procedure, procedures } from './procedures.ts';
import {
  type Cast,
  CUSTOM_ROLE,
  createCast,
  createStage,
  INPUTS,
  invite,
  keepSessions,
  leaveEverything,
  NEED_MEMBERSHIP,
  newDeliveryOf,
  newDeploymentOf,
  newLicenseOf,
  newNodeOf,
  newRecordOf,
  newServerOf,
  newSessionOf,
  newSshKeyOf,
  newTunnelAllocationOf,
  newTunnelDeviceOf,
  newWebhookOf,
  type Stage,
} from './stage.ts';

let h: Harness;
let cast: Cast;
let elsewhere: string;
let restoreSessions: () => Promise<void>;
beforeAll(async () => {
  h = await createHarness({ MAX_ORGANIZATIONS_PER_USER: '100000' }, { rateLimiter: UNLIMITED });
  cast = await createCast(h);
  elsewhere = (await h.organization(cast.owner)).id;
  restoreSessions = await keepSessions(h);
});
afterAll(() => h[Symbol.asyncDispose]());
afterEach(async () => {
  await h.sql`delete from api_keys`; // an account has at most 100
  await restoreSessions(); // some procedures end them
  await leaveEverything(h, cast.outsider);
});

/** The permission that a limited key needs: of an organization's procedure, or of one of the user's. */
const rightOf = ({ meta }: Procedure) =>
  isPermission(meta.access ?? '') ? meta.access : (meta.limitedKeys ?? 'none');

const EVERY = [...roleOf('owner').permissions];
const theOne = (procedure: Procedure) => EVERY.filter((permission) => permission === rightOf(procedure));
const everyOther = (procedure: Procedure) => EVERY.filter((permission) => permission !== rightOf(procedure));

type CallerKind = {
  holder: keyof Cast | null;
  caller(stage: Stage, procedure: Procedure): Promise<Caller> | Caller;
};
const person = (holder: keyof Cast): CallerKind => ({ holder, caller: () => cast[holder] });
const ownersKey = (
  limits: (stage: Stage, procedure: Procedure) => Promise<Record<string, unknown>> | Record<string, unknown>,
): CallerKind => ({
  holder: 'owner',
  caller: async (stage, procedure) => h.key(cast.owner, await limits(stage, procedure)),
});

const customMember = (permissions: (procedure: Procedure) => Permission[]): CallerKind => ({
  holder: 'custom',
  async caller({ organizationId }, procedure) {
    await h.sql`update custom_roles set permissions = ${h.sql.json(permissions(procedure))}
      where organization_id = ${organizationId} and name = ${CUSTOM_ROLE}`;
    return cast.custom;
  },
});

const CALLERS = {
  anonymous: { holder: null, caller: () => h.anonymous },
  outsider: person('outsider'),
  foreigner: person('foreigner'),
  'platform admin': person('root'),
  member: person('member'),
  admin: person('admin'),
  owner: person('owner'),
  'custom role with the one permission': customMember(theOne),
  'custom role with every other permission': customMember(everyOther),
  'bound key': ownersKey(({ organizationId }) => ({ organizationId })),
  'key bound elsewhere': ownersKey(() => ({ organizationId: elsewhere })),
  'key with the one permission': ownersKey(({ organizationId }, procedure) => ({
    organizationId,
    permissions: theOne(procedure),
  })),
  'key with every other permission': ownersKey(({ organizationId }, procedure) => ({
    organizationId,
    permissions: everyOther(procedure),
  })),
  'key with every permission, of the whole user': ownersKey(({ organizationId }) => ({
    organizationId,
    scope: 'user',
    permissions: EVERY,
  })),
  'revoked key': {
    holder: 'owner',
    async caller() {
      const key = await h.key(cast.owner);
      await cast.owner.post('apiKey.delete', { apiKeyId: key.id });
      return key;
    },
  },
} as const satisfies Record<string, CallerKind>;
type CallerName = keyof typeof CALLERS;

const ROLELESS: readonly CallerName[] = ['outsider', 'foreigner', 'platform admin', 'key bound elsewhere'];

/** The role that a caller has on stage. */
function roleOfCaller(name: CallerName, procedure: Procedure): RoleGrant {
  if (name === 'custom role with the one permission') return roleOf(CUSTOM_ROLE, theOne(procedure));
  if (name === 'custom role with every other permission') return roleOf(CUSTOM_ROLE, everyOther(procedure));
  return roleOf(name === 'admin' || name === 'member' ? name : 'owner');
}

/** Refused by its limits although its holder is not. */
function keyIsTooNarrow(name: CallerName, { meta }: Procedure): boolean {
  if (!name.includes('key')) return false;
  const limitedKeys = meta.limitedKeys ?? (isPermission(meta.access ?? '') ? 'any' : 'none');
  if (limitedKeys === 'none') return true;
  return (
    name === 'key with every other permission' && (isPermission(meta.access ?? '') || limitedKeys !== 'any')
  );
}

/** What the table of permissions says about a call. */
function expectedStatus(name: CallerName, procedure: Procedure): number {
  const { access = '' } = procedure.meta;
  if (name === 'revoked key') return 401;
  if (access === 'public') return 200;
  if (name === 'anonymous') return 401;
  if (isPermission(access)) {
    if (ROLELESS.includes(name)) return 404;
    return can(roleOfCaller(name, procedure), access) && !keyIsTooNarrow(name, procedure) ? 200 : 403;
  }
  if (access === 'member' && ROLELESS.includes(name)) return 404;
  if (keyIsTooNarrow(name, procedure)) return 403;
  // The input names a plain member of the active organization.
  if (procedure.name === 'user.remove' && name !== 'platform admin') {
    if (ROLELESS.includes(name)) return 404;
    return can(roleOfCaller(name, procedure), 'member:update') ? 200 : 403;
  }
  if (access.startsWith('platform:')) {
    const right = access.slice('platform:'.length) as PlatformRight;
    return canOnPlatform(name === 'platform admin' ? 'rootAdmin' : 'user', right) ? 200 : 403;
  }
  return name === 'outsider' && NEED_MEMBERSHIP.has(procedure.name) ? 404 : 200;
}

/** A change is one row; an account comes with its organization, and goes from one, which is another. */
function rowsOf({ name, type, meta }: Procedure, by: CallerName): number {
  if (type === 'query' || meta.audited === false) return 0;
  return name === 'user.register' || (name === 'user.remove' && by === 'platform admin') ? 2 : 1;
}

const countChanges = async (): Promise<number> => {
  const [row] = await h.sql<{ n: number }[]>`select count(*)::int as n from audit_log`;
  return row?.n ?? 0;
};

test('who may call what, and with which limited keys, is this and nothing else', () => {
  expect(
    Object.fromEntries(
      procedures.map(({ name, meta }) => [
        name,
        [meta.access, meta.limitedKeys].filter(Boolean).join(', keys: '),
      ]),
    ),
  ).toEqual({
    'apiKey.all': 'user, keys: any',
    'apiKey.create': 'user',
    'apiKey.delete': 'user',
    'apiKey.rotate': 'user',
    'apiKey.whoami': 'user, keys: any',
    'auditLog.all': 'auditLog:read',
    'auditLog.export': 'auditLog:read',
    'auditLog.verify': 'auditLog:read',
    'customRole.all': 'customRole:read',
    'customRole.create': 'customRole:create',
    'customRole.getStatements': 'customRole:read',
    'customRole.membersByRole': 'member:read',
    'customRole.remove': 'customRole:delete',
    'customRole.update': 'customRole:update',
    'deployment.all': 'platform:deployment.readAny',
    'deployment.create': 'deployment:create',
    'deployment.destroy': 'deployment:delete',
    'deployment.report': 'public',
    'deployment.stop': 'deployment:update',
    'dnsRecord.all': 'dnsRecord:read',
    'dnsRecord.create': 'dnsRecord:create',
    'dnsRecord.delete': 'dnsRecord:delete',
    'dnsRecord.one': 'dnsRecord:read',
    'dnsRecord.update': 'dnsRecord:update',
    'dnsZone.all': 'dnsZone:read',
    'dnsZone.create': 'dnsZone:create',
    'dnsZone.delete': 'dnsZone:delete',
    'dnsZone.dnssec': 'dnsZone:update',
    'dnsZone.export': 'dnsRecord:read',
    'dnsZone.import': 'dnsRecord:create',
    'dnsZone.one': 'dnsZone:read',
    'dnsZone.plan': 'dnsZone:read',
    'dnsZone.verify': 'dnsZone:update',
    'invitation.accept': 'user',
    'invitation.mine': 'user',
    'invitation.preview': 'public',
    'invitation.reject': 'user',
    'license.all': 'platform:license.manage',
    'license.create': 'platform:license.manage',
    'license.delete': 'platform:license.manage',
    'license.one': 'platform:license.manage',
    'license.update': 'platform:license.manage',
    'license.validate': 'public',
    'node.all': 'platform:node.manage',
    'node.assignOrganization': 'platform:node.manage',
    'node.available': 'server:read',
    'node.create': 'platform:node.manage',
    'node.heartbeat': 'public',
    'node.one': 'platform:node.manage',
    'node.remove': 'platform:node.manage',
    'node.rotateToken': 'platform:node.manage',
    'node.unassignOrganization': 'platform:node.manage',
    'node.update': 'platform:node.manage',
    'organization.assignLicense': 'platform:license.manage',
    'organization.deployments': 'deployment:read',
    'organization.license': 'organization:read',
    'organization.unassignLicense': 'platform:license.manage',
    'organization.addMember': 'invitation:create',
    'organization.deletePreview': 'organization:delete',
    'organization.invitationLink': 'invitation:create',
    'organization.inviteMembers': 'invitation:create',
    'organization.leave': 'member, keys: none',
    'organization.members': 'member:read',
    'organization.removeMember': 'member:update',
    'organization.transferOwnership': 'organization:delete, keys: none',
    'organization.active': 'user, keys: organization:read',
    'organization.all': 'user, keys: organization:read',
    'organization.allInvitations': 'invitation:read',
    'organization.checkHandle': 'user',
    'organization.create': 'user',
    'organization.delete': 'organization:delete',
    'organization.inviteMember': 'invitation:create',
    'organization.one': 'organization:read',
    'organization.removeAvatar': 'organization:update',
    'organization.removeInvitation': 'invitation:delete',
    'organization.resendInvitation': 'invitation:create',
    'organization.setActive': 'member, keys: organization:read',
    'organization.setDefault': 'member, keys: none',
    'organization.update': 'organization:update',
    'organization.updateMemberRole': 'member:update',
    'permission.explain': 'user, keys: any',
    'permission.simulate': 'customRole:read',
    'portal.tiers': 'public',
    'server.all': 'server:read',
    'server.count': 'server:read',
    'server.create': 'server:create',
    'server.one': 'server:read',
    'server.remove': 'server:delete',
    'server.setState': 'server:update',
    'server.update': 'server:update',
    'session.all': 'user',
    'session.logout': 'user',
    'session.logoutAll': 'user',
    'session.revoke': 'user',
    'settings.get': 'public',
    'organization.uploadAvatar': 'organization:update',
    'settings.health': 'public',
    'settings.update': 'platform:settings.update',
    'sshKey.all': 'sshKey:read',
    'sshKey.create': 'sshKey:create',
    'sshKey.generate': 'user, keys: sshKey:create',
    'sshKey.one': 'sshKey:read',
    'sshKey.remove': 'sshKey:delete',
    'sshKey.update': 'sshKey:update',
    'tunnelAllocation.all': 'tunnel:read',
    'tunnelAllocation.close': 'tunnel:delete',
    'tunnelAllocation.create': 'tunnel:create',
    'tunnelDevice.all': 'tunnel:read',
    'tunnelDevice.allocations': 'public',
    'tunnelDevice.approve': 'tunnel:create',
    'tunnelDevice.deny': 'user',
    'tunnelDevice.poll': 'public',
    'tunnelDevice.preview': 'user',
    'tunnelDevice.remove': 'tunnel:delete',
    'tunnelDevice.start': 'public',
    'user.all': 'member:read',
    'user.assignPermissions': 'member:update',
    'user.checkUserOrganizations': 'user',
    'user.createApiKey': 'user',
    'user.createUserWithCredentials': 'platform:user.create',
    'user.deleteApiKey': 'user',
    'user.export': 'user',
    'user.generateToken': 'user',
    'user.get': 'user, keys: member:read',
    'user.listSessions': 'user',
    'user.me': 'user',
    'user.revokeSession': 'user',
    'user.register': 'public',
    'user.getInvitations': 'user',
    'user.getPermissions': 'user, keys: any',
    'user.getUserByToken': 'public',
    'user.haveRootAccess': 'user, keys: any',
    'user.one': 'user, keys: member:read',
    'user.remove': 'user',
    'user.sendInvitation': 'invitation:create',
    'user.session': 'user, keys: any',
    'user.setPlatformRole': 'platform:user.setPlatformRole',
    'user.suspend': 'platform:user.suspend',
    'user.unsuspend': 'platform:user.suspend',
    'user.update': 'user',
    'user.removeAvatar': 'user',
    'user.uploadAvatar': 'user',
    'webhook.all': 'webhook:read',
    'webhook.create': 'webhook:create',
    'webhook.delete': 'webhook:delete',
    'webhook.deliveries': 'webhook:read',
    'webhook.events': 'public',
    'webhook.redeliver': 'webhook:update',
    'webhook.test': 'webhook:update',
    'webhook.update': 'webhook:update',
  });
});

test('the inputs name procedures that exist', () => {
  expect(Object.keys(INPUTS).sort()).toEqual(procedures.map(({ name }) => name).sort());
});

/** The input gives the organization another owner, or a server of the few that it may have. */
const SPENT_BY_INPUT = new Set(['organization.leave', 'server.update']);

describe.each(procedures)('$name', (procedure) => {
  const { access = 'nobody' } = procedure.meta;
  /** Serves until a call has changed it. */
  let unchanged: Stage | undefined;

  test('states who may call it', () => {
    const known = ['public', 'user', 'member'].includes(access) || access.startsWith('platform:');
    expect(known || isPermission(access), access).toBe(true);
  });

  test.each(Object.keys(CALLERS) as CallerName[])('called by: %s', async (name) => {
    const { holder, caller }: CallerKind = CALLERS[name];
    const makeInput = INPUTS[procedure.name];
    if (makeInput === undefined) throw new Error(`${procedure.name} has no input in stage.ts`);
    const stage = unchanged ?? (await createStage(h, cast));
    const as = await caller(stage, procedure);
    const input = await makeInput({ h, cast, stage, holder: cast[holder ?? 'owner'] });
    const before = await countChanges();
    const reply = await call(as, procedure, input);
    const expected = expectedStatus(name, procedure);
    expect(reply.status, reply.text).toBe(expected);
    const isSpent =
      (reply.status === 200 && procedure.type === 'mutation') || SPENT_BY_INPUT.has(procedure.name);
    unchanged = isSpent ? undefined : stage;
    const changes = (await countChanges()) - before;
    expect(changes, 'rows in the audit log').toBe(expected === 200 ? rowsOf(procedure, name) : 0);
  });
});

/** Ids of things that exist and belong to somebody else, by the name of the field that takes them. */
async function foreignIds(): Promise<Record<string, unknown>> {
  const { organizationId, memberIds } = await createStage(h, cast);
  const { id: invitationId } = await invite(cast.owner, organizationId);
  const { id: apiKeyId } = await h.key(cast.owner, { organizationId });
  const sessionId = await newSessionOf(h, cast.owner);
  const deployment = await newDeploymentOf(h, organizationId);
  return {
    organizationId,
    memberId: memberIds.target,
    invitationId,
    apiKeyId,
    sessionId,
    sshKeyId: await newSshKeyOf(h, organizationId),
    deviceId: (await newTunnelDeviceOf(h, { organizationId })).id,
    allocationId: await newTunnelAllocationOf(h, organizationId),
    webhookId: await newWebhookOf(h, organizationId),
    deliveryId: await newDeliveryOf(h, organizationId),
    ...(await newRecordOf(h, organizationId)),
    deploymentId: deployment.id,
    parentDeploymentId: deployment.id,
    licenseId: (await newLicenseOf(h)).id,
    nodeId: await newNodeOf(h, organizationId),
    serverId: await newServerOf(h, organizationId),
    userId: cast.owner.id,
    metadata: { organizationId },
  };
}
const missingId = (field: string): unknown => (field === 'metadata' ? { organizationId: newId() } : newId());

/** Taken because Dokploy's clients send it, and not looked at. */
const IGNORED = 'notificationId';

const idsOf = ({ fields }: Procedure): string[] =>
  fields.filter((field) => /Id$|^metadata$/.test(field) && field !== IGNORED);

describe('an id of somebody else answers like one that does not exist', () => {
  const cases = procedures.flatMap((procedure) =>
    idsOf(procedure).map((field) => ({ name: procedure.name, field, procedure })),
  );
  test('there are such fields', () => expect(cases.length).toBeGreaterThan(12));

  test.each(cases)('$name by $field', async ({ name, field, procedure }) => {
    const stranger = await h.user(); // new each time: some procedures are rate-limited by user
    const ids = await foreignIds();
    expect(Object.keys(ids)).toContain(field);
    const stage = await createStage(h, { ...cast, owner: stranger });
    const input = await INPUTS[name]?.({ h, cast: { ...cast, owner: stranger }, stage, holder: stranger });
    const send = (caller: Caller, id: unknown) => call(caller, procedure, { ...input, [field]: id });
    for (const caller of [stranger, await h.key(stranger)]) {
      const foreign = await send(caller, ids[field]);
      const missing = await send(caller, missingId(field));
      expect(foreign.status).toBe(missing.status);
      expect(foreign.text).toBe(missing.text);
      if (!name.startsWith('auditLog.') || field !== 'userId') expect([403, 404]).toContain(foreign.status);
    }
    const own = await send(stranger, input?.[field] ?? newId());
    const forbidden = procedure.meta.access?.startsWith('platform:') === true;
    if (input?.[field] !== undefined) expect(own.status, own.text).toBe(forbidden ? 403 : 200);
  });
});
