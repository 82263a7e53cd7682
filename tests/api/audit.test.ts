import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type Body, createHarness, type Harness, UNLIMITED } from '../support/harness.ts';
import { call, audited as mutations, procedureOf } from './procedures.ts';
import { type Cast, createCast, createStage, INPUTS, invite, keepSessions } from './stage.ts';

/* Every change writes who made it, with what and from where, in its own transaction; the trail outlives all of it. */

let h: Harness;
let cast: Cast;
let restoreSessions: () => Promise<void>;
beforeAll(async () => {
  h = await createHarness({ MAX_ORGANIZATIONS_PER_USER: '1000' }, { rateLimiter: UNLIMITED });
  await h.app.jobs.stop(); // nothing else changes the database meanwhile
  cast = await createCast(h);
  restoreSessions = await keepSessions(h);
});
afterEach(async () => {
  await h.sql`delete from api_keys`; // an account has at most 100
  await restoreSessions();
});
afterAll(() => h[Symbol.asyncDispose]());

/**
 * What each change is called in the trail, and who makes it if not somebody with a plain role; `only` is the credential
 * that can. A registration writes two rows, for the account and its organization: the newest is looked at.
 */
type Entry = {
  action: string;
  resourceType: string;
  by?: keyof Cast | 'nobody';
  only?: 'session';
  rows?: number;
};
const ENTRIES: Record<string, Entry> = {
  'apiKey.create': { action: 'create', resourceType: 'apiKey' },
  'apiKey.delete': { action: 'delete', resourceType: 'apiKey' },
  'apiKey.rotate': { action: 'rotate', resourceType: 'apiKey' },
  'customRole.create': { action: 'create', resourceType: 'customRole' },
  'customRole.remove': { action: 'delete', resourceType: 'customRole' },
  'customRole.update': { action: 'update', resourceType: 'customRole' },
  'deployment.create': { action: 'create', resourceType: 'deployment' },
  'deployment.destroy': { action: 'destroy', resourceType: 'deployment' },
  'deployment.stop': { action: 'stop', resourceType: 'deployment' },
  'dnsRecord.create': { action: 'create', resourceType: 'dnsRecord' },
  'dnsRecord.delete': { action: 'delete', resourceType: 'dnsRecord' },
  'dnsRecord.update': { action: 'update', resourceType: 'dnsRecord' },
  'dnsZone.create': { action: 'create', resourceType: 'dnsZone' },
  'dnsZone.delete': { action: 'delete', resourceType: 'dnsZone' },
  'dnsZone.dnssec': { action: 'update', resourceType: 'dnsZone' },
  'dnsZone.import': { action: 'import', resourceType: 'dnsZone' },
  'dnsZone.verify': { action: 'verify', resourceType: 'dnsZone' },
  'invitation.accept': { action: 'accept', resourceType: 'invitation' },
  'invitation.reject': { action: 'reject', resourceType: 'invitation' },
  'license.create': { action: 'create', resourceType: 'license', by: 'root' },
  'license.delete': { action: 'delete', resourceType: 'license', by: 'root' },
  'license.update': { action: 'update', resourceType: 'license', by: 'root' },
  'node.assignOrganization': { action: 'assign', resourceType: 'node', by: 'root' },
  'node.create': { action: 'create', resourceType: 'node', by: 'root' },
  'node.remove': { action: 'delete', resourceType: 'node', by: 'root' },
  'node.rotateToken': { action: 'rotate', resourceType: 'node', by: 'root' },
  'node.unassignOrganization': { action: 'unassign', resourceType: 'node', by: 'root' },
  'node.update': { action: 'update', resourceType: 'node', by: 'root' },
  'organization.assignLicense': { action: 'assign', resourceType: 'license', by: 'root' },
  'organization.unassignLicense': { action: 'unassign', resourceType: 'license', by: 'root' },
  'server.create': { action: 'create', resourceType: 'server' },
  'server.remove': { action: 'delete', resourceType: 'server' },
  'server.setState': { action: 'setState', resourceType: 'server' },
  'server.update': { action: 'update', resourceType: 'server' },
  'organization.create': { action: 'create', resourceType: 'organization' },
  'organization.delete': { action: 'delete', resourceType: 'organization' },
  'organization.inviteMember': { action: 'create', resourceType: 'invitation' },
  'organization.addMember': { action: 'create', resourceType: 'invitation' },
  'organization.invitationLink': { action: 'link', resourceType: 'invitation' },
  'organization.inviteMembers': { action: 'createMany', resourceType: 'invitation' },
  'organization.leave': { action: 'leave', resourceType: 'member' },
  'organization.removeMember': { action: 'delete', resourceType: 'member' },
  'organization.transferOwnership': { action: 'transferOwnership', resourceType: 'organization' },
  'organization.removeAvatar': { action: 'update', resourceType: 'organization' },
  'organization.removeInvitation': { action: 'delete', resourceType: 'invitation' },
  'organization.resendInvitation': { action: 'resend', resourceType: 'invitation' },
  'organization.setActive': { action: 'update', resourceType: 'session' },
  'organization.setDefault': { action: 'update', resourceType: 'member' },
  'organization.update': { action: 'update', resourceType: 'organization' },
  'organization.updateMemberRole': { action: 'update', resourceType: 'member' },
  'session.logout': { action: 'logout', resourceType: 'session', only: 'session' },
  'session.logoutAll': { action: 'logoutAll', resourceType: 'session', only: 'session' },
  'session.revoke': { action: 'delete', resourceType: 'session', only: 'session' },
  'settings.update': { action: 'update', resourceType: 'settings', by: 'root' },
  'sshKey.create': { action: 'create', resourceType: 'sshKey' },
  'sshKey.remove': { action: 'delete', resourceType: 'sshKey' },
  'sshKey.update': { action: 'update', resourceType: 'sshKey' },
  'tunnelAllocation.close': { action: 'close', resourceType: 'tunnelAllocation' },
  'tunnelAllocation.create': { action: 'create', resourceType: 'tunnelAllocation' },
  'tunnelDevice.approve': { action: 'approve', resourceType: 'tunnelDevice' },
  'tunnelDevice.deny': { action: 'deny', resourceType: 'tunnelDevice' },
  'tunnelDevice.poll': { action: 'create', resourceType: 'tunnelDevice', by: 'nobody', only: 'session' },
  'tunnelDevice.remove': { action: 'delete', resourceType: 'tunnelDevice' },
  'user.createApiKey': { action: 'create', resourceType: 'apiKey' },
  'user.createUserWithCredentials': { action: 'create', resourceType: 'user', by: 'root' },
  'organization.uploadAvatar': { action: 'update', resourceType: 'organization' },
  'user.removeAvatar': { action: 'update', resourceType: 'user' },
  'user.uploadAvatar': { action: 'update', resourceType: 'user' },
  'user.deleteApiKey': { action: 'delete', resourceType: 'apiKey' },
  'user.register': { action: 'create', resourceType: 'organization', by: 'nobody', only: 'session', rows: 2 },
  'user.setPlatformRole': { action: 'setPlatformRole', resourceType: 'user', by: 'root' },
  'user.suspend': { action: 'suspend', resourceType: 'user', by: 'root' },
  'user.unsuspend': { action: 'unsuspend', resourceType: 'user', by: 'root' },
  'user.update': { action: 'update', resourceType: 'user' },
  'user.remove': { action: 'delete', resourceType: 'member' },
  'user.sendInvitation': { action: 'resend', resourceType: 'invitation' },
  'webhook.create': { action: 'create', resourceType: 'webhook' },
  'webhook.delete': { action: 'delete', resourceType: 'webhook' },
  'webhook.redeliver': { action: 'redeliver', resourceType: 'webhook' },
  'webhook.test': { action: 'test', resourceType: 'webhook' },
  'webhook.update': { action: 'update', resourceType: 'webhook' },
  'user.revokeSession': { action: 'delete', resourceType: 'session', only: 'session' },
};

/** Who makes the change: somebody who could be invited still, or the owner. */
const holderOf = (name: string) => {
  const { by = name.startsWith('invitation.') ? 'foreigner' : 'owner' } = ENTRIES[name] ?? {};
  return by === 'nobody' ? cast.outsider : cast[by];
};

async function prepare(name: string) {
  const stage = await createStage(h, cast);
  const holder = holderOf(name);
  const key = await h.key(holder, { scope: 'user' });
  const input = await INPUTS[name]?.({ h, cast, stage, holder });
  return { stage, holder, key, input };
}

const newest = async (): Promise<Body> => {
  const [row] = await h.sql<Body[]>`select * from audit_log order by id desc limit 1`;
  return row;
};
const count = async (): Promise<number> => (await h.sql`select 1 from audit_log`).length;

test('the table names every mutation', () => {
  expect(Object.keys(ENTRIES).sort()).toEqual([...mutations].sort());
});

describe.each(mutations)('%s', (name) => {
  const { only, by, rows = 1 } = ENTRIES[name] ?? {};
  const credentials = only === undefined ? ['session', 'key'] : [only];
  test.each(credentials)('by a %s, writes one row that says so', async (credential) => {
    const { holder, key, input } = await prepare(name);
    const before = await count();
    const caller = credential === 'key' ? key : holder;
    const { status, headers, text } = await call(caller, procedureOf(name), input);
    expect(status, text).toBe(200);
    expect(await count()).toBe(before + rows);
    const entry = await newest();
    const { action, resourceType } = ENTRIES[name] ?? {};
    expect(entry).toMatchObject({
      action,
      resourceType: credential === 'key' && resourceType === 'session' ? 'apiKey' : resourceType,
      ...(by === 'nobody' ? {} : { userId: holder.id, userEmail: holder.email }),
      apiKeyId: credential === 'key' ? key.id : null,
      ipAddress: '127.0.0.1',
      requestId: headers.get('x-request-id'),
    });
    expect(entry.resourceId).toMatch(/^([0-9a-f-]{36}|installation)$/);
    expect(JSON.stringify([entry.before, entry.after])).not.toMatch(
      /"[^"]*(token|hash|secret|password)[^"]*":|"key":/i,
    );
  });

  test('changes nothing when its row cannot be written', async () => {
    const { holder, input } = await prepare(name);
    await h.sql`create or replace function refuse() returns trigger language plpgsql as $$ begin raise 'no'; end $$`;
    await h.sql`create trigger refuse before insert on audit_log execute function refuse()`;
    try {
      const before = await dump();
      const { status, body } = await call(holder, procedureOf(name), input);
      expect([status, body.message]).toEqual([500, 'Internal server error']);
      expect(await dump()).toEqual(before);
    } finally {
      await h.sql`drop trigger refuse on audit_log`;
    }
    const { status, text } = await call(holder, procedureOf(name), input);
    expect(status, text).toBe(200); // it was the missing row that stopped it
  });
});

/** When a credential was used is written whenever there is time. */
const USAGE: Record<string, string> = { sessions: '{last_seen_at,expires_at}', api_keys: '{last_used_at}' };

/** The rows of every table, in no particular order; but for the asking that a file nobody came to need be removed. */
async function dump() {
  const tables = await h.sql<{ name: string }[]>`
    select quote_ident(tablename) as name from pg_tables where schemaname = 'public' order by tablename`;
  const read = ({ name }: { name: string }) =>
    h.sql.unsafe<{ text: string }[]>(
      `select (to_jsonb(t) - '${USAGE[name] ?? '{}'}'::text[])::text as text from ${name} t ${name === 'jobs' ? "where name <> 'avatar.collect'" : ''} order by 1`,
    );
  return Promise.all(tables.map(async (table) => [table.name, await read(table)]));
}

test('a registration writes the account and its organization', async () => {
  const { id: userId, email } = await h.user();
  const rows = await h.sql`select action, resource_type, user_email, organization_id from audit_log
    where user_id = ${userId} order by id`;
  expect(rows).toMatchObject([
    { action: 'create', resourceType: 'user', userEmail: email, organizationId: null },
    { action: 'create', resourceType: 'organization', userEmail: email },
  ]);
});

test('an update says what was and what is', async () => {
  const { organizationId } = await createStage(h, cast);
  await cast.admin.post('organization.update', { organizationId, name: 'Renamed', description: 'Boxes' });
  const { body } = await cast.admin.get('auditLog.all', { organizationId, limit: 1 });
  expect(body).toMatchObject([
    {
      userRole: 'admin',
      resourceName: 'Renamed',
      before: { name: 'Acme', description: null },
      after: { name: 'Renamed', description: 'Boxes' },
    },
  ]);
});

test('the trail of a day goes up to its end, that of a moment up to it', async () => {
  const { id: organizationId, owner } = await h.organization();
  const { body } = await owner.get('auditLog.all', { organizationId });
  const at = new Date(body.at(-1).createdAt);
  const day = (days: number) => new Date(at.getTime() + days * 86_400_000).toISOString().slice(0, 10);
  const rows = async (procedure: string, filter: Record<string, string>) => {
    const { text } = await owner.get(procedure, { organizationId, ...filter });
    return text.split('"seq":').length - 1;
  };
  for (const procedure of ['auditLog.all', 'auditLog.export']) {
    expect(await rows(procedure, { from: day(0), to: day(0) })).toBe(body.length);
    expect(await rows(procedure, { to: day(-1) })).toBe(0);
    expect(await rows(procedure, { to: at.toISOString() })).toBe(body.length);
  }
});

test('the trail outlives the organization and the account', async () => {
  const org = await h.organization();
  const admin = await org.join('admin');
  await invite(admin, org.id);
  const trail = () => h.sql`select * from audit_log where organization_id = ${org.id} order by id`;
  const before = await trail();
  await org.owner.post('organization.delete', { organizationId: org.id });
  await h.sql`delete from organizations where owner_id = ${admin.id}`;
  await h.sql`delete from users where id = ${admin.id}`;
  const after = await trail();
  expect(after.slice(0, -1)).toEqual(before);
  expect(after.at(-1)).toMatchObject({
    action: 'delete',
    resourceType: 'organization',
    resourceId: org.id,
    before: { name: 'Acme', ownerId: org.owner.id },
  });
  expect((await org.owner.get('auditLog.all', { organizationId: org.id })).status).toBe(404);
});

test('what a client sends as its address is not believed', async () => {
  const { organizationId } = await createStage(h, cast);
  const headers = {
    'x-forwarded-for': '203.0.113.7',
    'x-real-ip': '203.0.113.7',
    forwarded: 'for=203.0.113.7',
  };
  await cast.owner.post('organization.inviteMember', { organizationId, email: 'a@example.org' }, headers);
  expect((await newest()).ipAddress).toBe('127.0.0.1');
});

test('reading and being refused write nothing', async () => {
  const { organizationId, memberIds } = await createStage(h, cast);
  const before = await count();
  await cast.owner.get('auditLog.all', { organizationId });
  await cast.member.post('organization.update', { organizationId, name: 'Mine' });
  await cast.foreigner.post('organization.delete', { organizationId });
  await cast.owner.post('organization.updateMemberRole', { memberId: memberIds.target, role: 'owner' });
  await cast.owner.post('organization.inviteMember', { organizationId, email: cast.member.email });
  expect(await count()).toBe(before);
});
