import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { roleOf } from '../../src/kernel/permissions.ts';
import { type Caller, createHarness, type Harness, httpCaller } from '../support/harness.ts';
import { leaveEverything } from './stage.ts';

let h: Harness;
beforeAll(async () => {
  h = await createHarness();
  await h.user(); // the rootAdmin
});
afterAll(() => h[Symbol.asyncDispose]());

const whoami = async (caller: Caller) => {
  const { status, body, text } = await caller.get('apiKey.whoami');
  expect(status, text).toBe(200);
  return body;
};

describe('whoami', () => {
  test('tells a session its role and rights, and nothing of a key', async () => {
    const org = await h.organization();
    const member = await org.join('member');
    expect(await whoami(member)).toEqual({
      userId: member.id,
      email: member.email,
      platformRole: 'user',
      organizationId: org.id,
      role: 'member',
      permissions: [...roleOf('member').permissions],
      apiKeyId: null,
      name: null,
      scope: null,
      expiresAt: null,
      remaining: null,
    });
    await leaveEverything(h, member);
    expect(await whoami(member)).toMatchObject({ organizationId: null, role: null, permissions: [] });
  });

  test('tells a key its limits, with this use counted', async () => {
    const { id: organizationId, owner } = await h.organization();
    const key = await h.key(owner, { organizationId, expiresIn: 3600, remaining: 9 });
    const { expiresAt, ...rest } = await whoami(key);
    expect(rest).toMatchObject({
      userId: owner.id,
      organizationId,
      role: 'owner',
      apiKeyId: key.id,
      name: 'test',
      scope: 'organization',
      remaining: 8,
    });
    expect(rest.permissions.sort()).toEqual([...roleOf('owner').permissions].sort());
    expect(Date.parse(expiresAt)).toBeGreaterThan(Date.now());
  });

  test('tells a key what both its holder and itself may do, as it is now', async () => {
    const org = await h.organization();
    const admin = await org.join('admin');
    const permissions = ['organization:read', 'organization:update', 'invitation:create'];
    const key = await h.key(admin, { organizationId: org.id, permissions });
    expect((await whoami(key)).permissions.sort()).toEqual([...permissions].sort());
    await h.sql`update memberships set role = 'member' where id = ${admin.memberId}`;
    expect(await whoami(key)).toMatchObject({ role: 'member', permissions: ['organization:read'] });
    const none = await h.key(admin, { organizationId: org.id, permissions: [] });
    expect(await whoami(none)).toMatchObject({ role: 'member', permissions: [] });
  });

  test('shows no secret', async () => {
    const key = await h.key(await h.user());
    const { text } = await key.get('apiKey.whoami');
    expect(text).not.toContain(key.key.slice(-20));
    expect(text).not.toMatch(/hash/i);
  });
});

describe('a suspended account', () => {
  test('is refused by each of its credentials at once, and taken again afterwards', async () => {
    const ada = await h.user();
    const callers = [ada, await h.key(ada), await h.key(ada, { scope: 'user' })];
    const suspend = (at: Date | null) => h.sql`update users set suspended_at = ${at} where id = ${ada.id}`;
    await suspend(new Date());
    for (const caller of callers) {
      for (const path of ['apiKey.whoami', 'organization.all', 'settings.health']) {
        const { status, body } = await caller.get(path);
        expect([status, body.data.reason, body.message]).toEqual([
          401,
          'account_suspended',
          'This account is suspended.',
        ]);
      }
      expect((await caller.post('organization.create', { name: 'New' })).status).toBe(401);
      const trpc = await caller.get('trpc/apiKey.whoami');
      expect([trpc.status, trpc.body.error.json.data.reason]).toEqual([401, 'account_suspended']);
    }
    await suspend(null);
    for (const caller of callers) expect((await caller.get('apiKey.whoami')).status).toBe(200);
  });

  test('loses none of what its keys have left, and troubles nobody else', async () => {
    const org = await h.organization();
    const member = await org.join('member');
    const key = await h.key(member, { organizationId: org.id, remaining: 3 });
    await h.sql`update users set suspended_at = now() where id = ${member.id}`;
    for (let call = 0; call < 5; call += 1) expect((await key.get('apiKey.whoami')).status).toBe(401);
    expect(await h.sql`select remaining from api_keys where id = ${key.id}`).toEqual([{ remaining: 3 }]);
    expect((await org.owner.get('organization.one', { organizationId: org.id })).status).toBe(200);
  });

  test('is told so only to who holds a credential of it', async () => {
    const ada = await h.user();
    await h.sql`update users set suspended_at = now() where id = ${ada.id}`;
    const stale = httpCaller(h.baseUrl, { cookie: ada.cookie.replace(/=.{8}/, '=00000000') });
    expect((await stale.get('apiKey.whoami')).body.data.reason).toBe('not_signed_in');
    const wrong = httpCaller(h.baseUrl, { 'x-api-key': 'tenantry_wrong' });
    expect((await wrong.get('apiKey.whoami')).body.data.reason).toBe('api_key_invalid');
  });
});
