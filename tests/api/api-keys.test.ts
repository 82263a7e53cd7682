import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { newId } from '../../src/kernel/ids.ts';
import { type Caller, createHarness, type Harness, type TestUser } from '../support/harness.ts';
import { invite, newRoleOf, untilBlocked } from './stage.ts';

let h: Harness;
beforeAll(async () => {
  h = await createHarness();
  await h.user(); // the rootAdmin
});
afterAll(() => h[Symbol.asyncDispose]());

const create = (user: Pick<TestUser, 'post'>, input: Record<string, unknown> = {}) =>
  user.post('apiKey.create', { name: 'deploy', ...input });
const createOrganization = async (user: TestUser): Promise<string> =>
  (await user.post('organization.create', { name: 'Acme' })).body.id;
const reasonOf = ({ status, body }: Awaited<ReturnType<TestUser['post']>>) => [status, body.data?.reason];

describe('creating', () => {
  test('shows the key once', async () => {
    const ada = await h.user();
    const { status, body } = await create(ada, { prefix: 'acme_', expiresIn: 3600 });
    expect(status).toBe(200);
    expect(body.key).toMatch(/^acme_[\w-]{43}$/);
    expect(body.start).toBe(body.key.slice(0, 11));
    expect(Date.parse(body.expiresAt) - Date.parse(body.createdAt)).toBe(3_600_000);
    const { key, ...described } = body;
    expect((await ada.get('apiKey.all')).body).toEqual({ items: [described], nextCursor: null });
    expect((await ada.get('user.get')).body.user.apiKeys).toEqual([described]);
  });

  test('binds to the active organization, or to the one that is named', async () => {
    const ada = await h.user();
    const active = (await ada.get('organization.active')).body.id;
    const other = await createOrganization(ada);
    expect((await create(ada)).body).toMatchObject({ scope: 'organization', organizationId: active });
    expect((await create(ada, { organizationId: other })).body).toMatchObject({ organizationId: other });
    const dokploy = await ada.post('user.createApiKey', { name: 'a', metadata: { organizationId: other } });
    expect(dokploy.body).toMatchObject({ scope: 'user', organizationId: null, activeOrganizationId: other });
  });

  test.each([
    ['no name', { name: '' }],
    ['a key of some seconds', { expiresIn: 59 }],
    ['half a rate limit', { rateLimitMax: 5 }],
    ['an enabled rate limit without numbers', { rateLimitEnabled: true }],
    ['half a refill', { remaining: 5, refillAmount: 5 }],
    ['a refill of nothing', { refillAmount: 5, refillInterval: 60_000 }],
    ['a permission that does not exist', { permissions: ['organization:fly'] }],
    ['a scope that does not exist', { scope: 'platform' }],
    ['a prefix with a line break', { prefix: 'a\n' }],
  ])('%s is 400', async (_, input) => {
    const ada = await h.user();
    expect((await create(ada, input)).status).toBe(400);
    expect((await ada.get('apiKey.all')).body.items).toEqual([]);
  });

  test('with a right that the holder lacks is 403', async () => {
    const org = await h.organization();
    const member = await org.join('member');
    const refused = await create(member, { permissions: ['organization:read', 'invitation:create'] });
    expect(reasonOf(refused)).toEqual([403, 'permission_missing']);
    expect((await create(member, { permissions: ['organization:read'] })).status).toBe(200);
    const admin = await org.join('admin');
    expect((await create(admin, { permissions: ['organization:delete'] })).status).toBe(403);
    expect((await create(org.owner, { permissions: ['organization:delete'] })).status).toBe(200);
  });

  test('for an organization where the caller is no member is 404, for every kind of key', async () => {
    const ada = await h.user();
    const { id: organizationId } = await h.organization();
    for (const scope of ['organization', 'user']) {
      expect((await create(ada, { scope, organizationId })).status).toBe(404);
    }
    const dokploy = await ada.post('user.createApiKey', { name: 'a', metadata: { organizationId } });
    expect(dokploy.status).toBe(404);
  });

  test('an account has at most 100', async () => {
    const ada = await h.user();
    await h.sql`insert into api_keys (id, user_id, name, start, key_hash, scope)
      select gen_random_uuid(), ${ada.id}, 'spare', 'spare', gen_random_uuid(), 'user' from generate_series(1, 99)`;
    expect((await create(ada)).status).toBe(200);
    expect(reasonOf(await create(ada))).toEqual([412, 'too_many_api_keys']);
  });
});

describe('a key that is bound to an organization', () => {
  async function bound() {
    const ada = await h.user();
    const [here, there] = [await createOrganization(ada), await createOrganization(ada)];
    return { ada, here, there, key: await h.key(ada, { organizationId: here }) };
  }

  test('sees that one alone', async () => {
    const { ada, here, there, key } = await bound();
    await create(ada, { organizationId: there });
    await create(ada, { scope: 'user', organizationId: here });
    const idsOf = ({ body }: { body: { id: string }[] }) => body.map(({ id }) => id);
    expect(idsOf(await key.get('organization.all'))).toEqual([here]);
    expect((await key.get('organization.active')).body.id).toBe(here);
    expect((await key.get('user.session')).body.session).toEqual({ id: null, activeOrganizationId: here });
    const own = (await key.get('user.get')).body;
    expect(own.organizationId).toBe(here);
    expect(idsOf({ body: own.user.apiKeys })).toEqual([key.id]);
    expect(idsOf({ body: (await key.get('apiKey.all')).body.items })).toEqual([key.id]);
    for (const name of ['organization.one', 'organization.allInvitations', 'auditLog.all']) {
      expect((await key.get(name, { organizationId: here })).status).toBe(200);
      expect((await key.get(name, { organizationId: here.toUpperCase() })).status).toBe(200);
      expect((await key.get(name, { organizationId: there })).status).toBe(404);
    }
  });

  test('sees the people of that one alone, even where its holder is platform staff', async () => {
    const { ada, here, there, key } = await bound();
    const [mate, stranger] = [await h.user(), await h.user()];
    for (const [organizationId, userId] of [
      [here, mate.id],
      [there, stranger.id],
    ]) {
      await h.sql`insert into memberships (id, organization_id, user_id, role)
        values (${newId()}, ${organizationId ?? ''}, ${userId ?? ''}, 'member')`;
    }
    await h.sql`update users set role = 'staff' where id = ${ada.id}`;
    expect((await key.get('user.one', { userId: mate.id })).status).toBe(200);
    expect((await key.get('user.one', { userId: stranger.id })).status).toBe(404);
    expect((await ada.get('user.one', { userId: stranger.id })).status).toBe(200);
  });

  test('touches that one alone', async () => {
    const { ada, here, there, key } = await bound();
    const { id: invitationId } = await invite(ada, there);
    const [home] = (await ada.get('organization.all')).body;
    const refused = [
      await key.post('organization.update', { organizationId: there, name: 'Taken' }),
      await key.post('organization.delete', { organizationId: there }),
      await key.post('organization.inviteMember', { organizationId: there, email: 'a@example.org' }),
      await key.post('organization.removeInvitation', { invitationId }),
      await key.post('organization.setActive', { organizationId: there }),
      await key.post('organization.setDefault', { organizationId: there }),
    ];
    expect(refused.map(({ status }) => status)).toEqual(refused.map(() => 404));
    const limited = [
      await key.post('organization.setDefault', { organizationId: here }), // would move the default elsewhere
      await key.post('organization.create', { name: 'New' }),
      await key.post('apiKey.delete', { apiKeyId: key.id }),
      await key.post('user.deleteApiKey', { apiKeyId: key.id }),
      await key.post('invitation.accept', { invitationId }),
      await key.get('invitation.mine'),
    ];
    expect(limited.map(reasonOf)).toEqual(limited.map(() => [403, 'key_is_limited']));
    expect((await ada.get('organization.active')).body.id).toBe(home.id);
    const done = await key.post('organization.inviteMember', { email: 'a@example.org' });
    expect([done.status, done.body.organizationId]).toEqual([200, here]);
  });
});

describe('a key that is limited to permissions', () => {
  test('may do what its holder may do and it was given', async () => {
    const org = await h.organization();
    const admin = await org.join('admin');
    const key = await h.key(admin, { permissions: ['auditLog:read'] });
    const audit = () => key.get('auditLog.all', { organizationId: org.id });
    expect((await audit()).status).toBe(200);
    for (const name of ['organization.one', 'organization.allInvitations']) {
      expect((await key.get(name, { organizationId: org.id })).status).toBe(403);
    }
    for (const name of ['organization.active', 'organization.all', 'user.get']) {
      expect((await key.get(name)).status).toBe(403);
    }
    expect((await key.get('user.one', { userId: org.owner.id })).status).toBe(403);
    expect((await key.get('user.session')).status).toBe(200);
    const memberId = admin.memberId;
    await org.owner.post('organization.updateMemberRole', { memberId, role: 'member' });
    expect((await audit()).status).toBe(403);
    expect((await org.owner.get('organization.one', { organizationId: org.id })).status).toBe(200);
  });

  test('or bound sees no organization that the role of its holder may not read', async () => {
    const org = await h.organization();
    await newRoleOf(h, org.id, 'records', ['dnsRecord:read']);
    const member = await org.join('member');
    const [, home] = (await member.get('organization.all')).body;
    const bound = await h.key(member, { organizationId: org.id });
    const permissions = ['organization:read'];
    const limited = await h.key(member, { scope: 'user', organizationId: org.id, permissions });
    const seen = async (caller: Caller) => [
      (await caller.get('organization.all')).body.map(({ id }: { id: string }) => id),
      (await caller.get('organization.active')).body?.id,
    ];
    expect(await seen(bound)).toEqual([[org.id], org.id]);
    expect(await seen(limited)).toEqual([[org.id, home.id], org.id]);
    const { memberId } = member;
    await org.owner.post('organization.updateMemberRole', { memberId, role: 'records' });
    expect(await seen(bound)).toEqual([[], undefined]);
    expect(await seen(limited)).toEqual([[home.id], undefined]);
    expect(await seen(member)).toEqual([[org.id, home.id], org.id]);
    const first = await limited.get('organization.all', { limit: 1 });
    const next = await limited.get('organization.all', {
      cursor: first.headers.get('x-next-cursor') ?? '',
    });
    expect([first.body, next.body]).toMatchObject([[], [{ id: home.id }]]);
  });

  test('lists itself and no other key', async () => {
    const ada = await h.user();
    const key = await h.key(ada, { scope: 'user', permissions: ['member:read'] });
    await create(ada);
    const { body } = await key.get('apiKey.all');
    expect(body.items.map(({ id }: { id: string }) => id)).toEqual([key.id]);
  });

  test('has no platform rights of its holder', async () => {
    const [ada, stranger] = [await h.user(), await h.user()];
    await h.sql`update users set role = 'rootAdmin' where id = ${ada.id}`;
    const limited = await h.key(ada, { scope: 'user', permissions: ['member:read'] });
    const whole = await h.key(ada, { scope: 'user' });
    expect((await limited.get('user.one', { userId: stranger.id })).status).toBe(404);
    expect((await whole.get('user.one', { userId: stranger.id })).status).toBe(200);
  });
});

describe('minting', () => {
  test.each([
    ['bound', {}],
    ['with permissions', { scope: 'user', permissions: ['organization:read'] }],
    ['with an end', { scope: 'user', expiresIn: 3600 }],
    ['with a rate limit', { scope: 'user', rateLimitMax: 100, rateLimitTimeWindow: 60_000 }],
    ['with a number of requests', { scope: 'user', remaining: 100 }],
  ])('a key %s makes no keys', async (_, limits) => {
    const ada = await h.user();
    const key = await h.key(ada, limits);
    const organizationId = (await ada.get('organization.active')).body.id;
    for (const reply of [
      await create(key),
      await create(key, { ...limits, permissions: [] }),
      await key.post('user.createApiKey', { name: 'a', metadata: { organizationId } }),
    ]) {
      expect(reasonOf(reply)).toEqual([403, 'key_is_limited']);
    }
    expect((await ada.get('apiKey.all')).body.items).toHaveLength(1);
  });

  test('a key without any limit does', async () => {
    const key = await h.key(await h.user(), { scope: 'user' });
    expect((await create(key)).status).toBe(200);
  });

  test('a key that is revoked meanwhile leaves none behind', async () => {
    const ada = await h.user();
    const key = await h.key(ada, { scope: 'user' });
    const { reply } = await h.sql.begin(async (tx) => {
      await tx`select 1 from users where id = ${ada.id} for update`;
      const minting = create(key); // waits for its holder's row
      await untilBlocked(h, 1);
      await tx`delete from api_keys where id = ${key.id}`;
      return { reply: minting };
    });
    expect(reasonOf(await reply)).toEqual([401, 'api_key_invalid']);
    expect((await ada.get('apiKey.all')).body.items).toEqual([]);
  });
});
