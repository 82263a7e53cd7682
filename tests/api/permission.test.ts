import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Body, type Caller, createHarness, type Harness } from '../support/harness.ts';
import { newRoleOf } from './stage.ts';

let h: Harness;
beforeAll(async () => {
  h = await createHarness();
});
afterAll(() => h[Symbol.asyncDispose]());

/** An organization with a member, and with somebody whose role reads nothing but the audit log. */
async function team() {
  const org = await h.organization();
  await newRoleOf(h, org.id, 'auditor', ['auditLog:read']);
  return { ...org, member: await org.join('member'), auditor: await org.join('auditor') };
}
const explain = (by: Caller, organizationId: string, permission: string, userId?: string) =>
  by.get('permission.explain', { organizationId, permission, ...(userId === undefined ? {} : { userId }) });
const simulate = (by: Caller, organizationId: string, subject: Record<string, string>) =>
  by.get('permission.simulate', { organizationId, ...subject });
const said = ({ status, body }: { status: number; body: Body }) => [status, body.data?.reason];

/** The permissions that a table says yes to. */
const granted = (table: Record<string, Record<string, boolean>>): string[] =>
  Object.entries(table).flatMap(([resource, actions]) =>
    Object.entries(actions).flatMap(([action, allowed]) => (allowed ? [`${resource}:${action}`] : [])),
  );

describe('explain', () => {
  test('names the role that decides, of oneself and of others', async () => {
    const { id, owner, member, auditor } = await team();
    expect((await explain(auditor, id, 'auditLog:read')).body).toEqual({
      ...{ allowed: true, permission: 'auditLog:read', organizationId: id, userId: auditor.id },
      ...{ role: 'auditor', apiKeyId: null, decidedBy: 'role', rule: null },
      reason: 'The role auditor allows it.',
    });
    expect((await explain(owner, id, 'auditLog:read', member.id)).body).toMatchObject({
      ...{ allowed: false, userId: member.id, role: 'member', decidedBy: 'role' },
      reason: 'The role member does not allow it.',
    });
    expect((await member.get('permission.explain', { permission: 'member:read' })).body).toMatchObject({
      ...{ allowed: true, organizationId: id },
    });
  });

  test('names the key where it is what decides, and only about its own holder', async () => {
    const { id, owner, member } = await team();
    const key = await h.key(owner, { organizationId: id, permissions: ['member:read'] });
    const about = async (permission: string, userId?: string) =>
      (await explain(key, id, permission, userId)).body;
    expect(await about('member:read')).toMatchObject({ allowed: true, decidedBy: 'key', apiKeyId: key.id });
    expect(await about('member:update')).toMatchObject({
      allowed: false,
      decidedBy: 'key',
      apiKeyId: key.id,
    });
    expect(await about('sshKey:read', member.id)).toMatchObject({
      ...{ allowed: true, decidedBy: 'role', apiKeyId: null },
    });
    const whole = await h.key(member, { organizationId: id });
    expect((await explain(whole, id, 'member:update')).body).toMatchObject({
      ...{ allowed: false, decidedBy: 'role', apiKeyId: whole.id },
    });
  });

  test('names the rule where neither decides', async () => {
    const { id, owner, member } = await team();
    await h.sql`update users set suspended_at = now() where id = ${member.id}`;
    expect((await explain(owner, id, 'member:read', member.id)).body).toMatchObject({
      ...{ allowed: false, decidedBy: 'rule', rule: 'account_suspended' },
    });
    await owner.post('organization.update', { organizationId: id, active: false });
    expect((await explain(owner, id, 'invitation:create')).body).toMatchObject({
      ...{ allowed: false, decidedBy: 'rule', rule: 'organization_inactive' },
    });
    for (const permission of ['member:read', 'organization:update', 'organization:delete']) {
      expect((await explain(owner, id, permission)).body).toMatchObject({ allowed: true, rule: null });
    }
  });

  test('says what the service then does', async () => {
    const { id, auditor } = await team();
    for (const [permission, procedure] of [
      ['auditLog:read', 'auditLog.all'],
      ['member:read', 'user.all'],
    ] as const) {
      const { allowed } = (await explain(auditor, id, permission)).body;
      expect((await auditor.get(procedure, { organizationId: id })).status === 200).toBe(allowed);
    }
  });

  test('about others is for who reads members; who is no member is not found', async () => {
    const { id, owner, member, auditor } = await team();
    const stranger = await h.user();
    expect(said(await explain(auditor, id, 'member:read', member.id))).toEqual([403, 'permission_missing']);
    expect(said(await explain(owner, id, 'member:read', stranger.id))).toEqual([404, 'member_not_found']);
    expect(said(await explain(stranger, id, 'member:read'))).toEqual([404, 'organization_not_found']);
    expect((await explain(owner, id, 'member:fly')).status).toBe(400);
  });
});

describe('simulate', () => {
  test('tells what a role, a member and a key may do, and changes nothing', async () => {
    const { id, owner, member, auditor } = await team();
    const key = await h.key(owner, { organizationId: id, permissions: ['member:read', 'auditLog:read'] });
    const [before] = await h.sql`select count(*) from audit_log`;
    const of = async (subject: Record<string, string>) => {
      const { role, permissions } = (await simulate(owner, id, subject)).body;
      return [role, granted(permissions).sort()];
    };
    expect(await of({ userId: auditor.id })).toEqual(['auditor', ['auditLog:read']]);
    expect(await of({ role: 'auditor' })).toEqual(['auditor', ['auditLog:read']]);
    expect(await of({ apiKeyId: key.id })).toEqual(['owner', ['auditLog:read', 'member:read']]);
    expect(await of({ userId: member.id, role: 'auditor' })).toEqual(['auditor', ['auditLog:read']]);
    expect(await of({ role: 'member', apiKeyId: key.id })).toEqual(['member', ['member:read']]);
    const [own, owned] = [await of({}), (await owner.get('apiKey.whoami')).body.permissions];
    expect(own[0]).toBe('owner');
    expect(own[1]).toContain('organization:delete');
    expect(owned.length).toBe(own[1]?.length);
    expect(await h.sql`select count(*) from audit_log`).toEqual([before]);
  });

  test('knows no role, no member and no key of anybody else', async () => {
    const { id, owner, member } = await team();
    const elsewhere = await h.organization(owner);
    const stranger = await h.user();
    const theirs = await h.key(member, { organizationId: id });
    const bound = await h.key(owner, { organizationId: elsewhere.id });
    expect(said(await simulate(owner, id, { role: 'unheard of' }))).toEqual([400, 'unknown_role']);
    expect(said(await simulate(owner, id, { userId: stranger.id }))).toEqual([404, 'member_not_found']);
    for (const apiKeyId of [theirs.id, bound.id]) {
      expect(said(await simulate(owner, id, { apiKeyId }))).toEqual([404, 'api_key_not_found']);
    }
  });

  test('shows a limited key itself and no other one', async () => {
    const { id, owner } = await team();
    const other = await h.key(owner, { organizationId: id });
    const limited = await h.key(owner, { organizationId: id, permissions: ['customRole:read'] });
    expect((await simulate(limited, id, { apiKeyId: limited.id })).status).toBe(200);
    expect(said(await simulate(limited, id, { apiKeyId: other.id }))).toEqual([404, 'api_key_not_found']);
  });

  test('shows another member to who reads members only', async () => {
    const { id, member, join } = await team();
    await newRoleOf(h, id, 'planner', ['customRole:read']);
    const planner = await join('planner');
    expect((await simulate(planner, id, { role: 'member' })).status).toBe(200);
    expect(said(await simulate(planner, id, { userId: member.id }))).toEqual([403, 'permission_missing']);
  });
});
