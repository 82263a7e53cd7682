import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createHarness, type Harness, statuses, type TestUser, times } from '../support/harness.ts';

let h: Harness;
beforeAll(async () => {
  h = await createHarness({ MAX_ORGANIZATIONS_PER_USER: '4' });
  await h.user(); // the rootAdmin, who is exempt from the limit
});
afterAll(() => h[Symbol.asyncDispose]());

const create = async (user: TestUser, input: Record<string, unknown> = {}): Promise<string> => {
  const { status, body } = await user.post('organization.create', { name: 'Acme', ...input });
  expect(status).toBe(200);
  return body.id;
};
const read = async (user: TestUser, organizationId: string) =>
  (await user.get('organization.one', { organizationId })).body;

describe('create', () => {
  test('a created organization is owned by its maker and has its audit row', async () => {
    const ada = await h.user();
    const { status, body } = await ada.post('organization.create', {
      name: 'Acme',
      handle: 'acme.example.com',
    });
    expect(status).toBe(200);
    expect(body).toMatchObject({
      name: 'Acme',
      handle: 'acme.example.com',
      ownerId: ada.id,
      role: 'owner',
      active: true,
    });
    const audit = await ada.get('auditLog.all', { organizationId: body.id });
    expect(audit.body).toMatchObject([{ action: 'create', resourceType: 'organization', userId: ada.id }]);
  });

  test('it is on the free plan, and has what was asked for and nothing else', async () => {
    const ada = await h.user();
    const eve = await h.user();
    const { body } = await ada.post('organization.create', {
      name: '  Acme  ',
      description: 'Boxes',
      ownerId: eve.id,
      active: false,
      slug: 'mine',
      portalTier: 'enterprise',
      maxServers: 1000,
    });
    expect(body).toMatchObject({
      name: 'Acme',
      description: 'Boxes',
      logo: null,
      metadata: null,
      defaultRole: null,
      ownerId: ada.id,
      active: true,
      portalTier: 'free',
      maxServers: 2,
    });
    expect(body.slug).toMatch(/^acme-/);
    expect(await read(ada, body.id)).toEqual(body);
  });

  test.each([
    ['no name', {}],
    ['a blank name', { name: '  ' }],
    ['a name of 65 characters', { name: 'a'.repeat(65) }],
    ['a name of two lines', { name: 'Acme\r\nBcc: eve@example.org' }],
    ['a number as a name', { name: 7 }],
    ['a long description', { name: 'Acme', description: 'a'.repeat(1001) }],
    ['a long logo', { name: 'Acme', logo: 'a'.repeat(2049) }],
    ['a handle that is null', { name: 'Acme', handle: null }],
  ])('%s is 400', async (_, input) => {
    const ada = await h.user();
    const { status, body } = await ada.post('organization.create', input);
    expect([status, body.data.reason]).toEqual([400, 'invalid_input']);
    const [own] = (await ada.get('organization.all')).body;
    expect(own.name).toMatch(/'s organization$/);
  });
});

describe('update', () => {
  test('what is left out stays, null clears', async () => {
    const ada = await h.user();
    const id = await create(ada, { description: 'Boxes', logo: 'https://acme.example/logo.png' });
    const before = await read(ada, id);

    const named = await ada.post('organization.update', { organizationId: id, name: 'Acme 2' });
    expect(named.status).toBe(200);
    expect(named.body).toEqual({ ...before, name: 'Acme 2', updatedAt: named.body.updatedAt });
    expect(named.body.updatedAt > before.updatedAt).toBe(true);

    const role = await ada.post('organization.update', { organizationId: id, defaultRole: 'admin' });
    expect(role.body).toMatchObject({ name: 'Acme 2', description: 'Boxes', defaultRole: 'admin' });

    const cleared = await ada.post('organization.update', {
      organizationId: id,
      description: null,
      logo: null,
      defaultRole: null,
    });
    expect(cleared.body).toMatchObject({ name: 'Acme 2', description: null, logo: null, defaultRole: null });
    expect(await read(ada, id)).toEqual(cleared.body);
  });

  test('nothing but the listed fields can be written', async () => {
    const ada = await h.user();
    const eve = await h.user();
    const id = await create(ada);
    const before = await read(ada, id);
    const { body } = await ada.post('organization.update', {
      organizationId: id,
      id: eve.id,
      ownerId: eve.id,
      owner_id: eve.id,
      slug: 'mine',
      metadata: '{}',
      createdAt: '2020-01-01T00:00:00.000Z',
      role: 'member',
    });
    expect(body).toEqual({ ...before, updatedAt: body.updatedAt });
  });

  test.each([
    ['a name that is null', { name: null }],
    ['a text for a boolean', { active: 'false' }],
    ['ownership as default role', { defaultRole: 'owner' }],
    ['a role that does not exist', { defaultRole: 'king' }],
  ])('%s is 400', async (_, changes) => {
    const ada = await h.user();
    const organizationId = await create(ada);
    const { status } = await ada.post('organization.update', { organizationId, ...changes });
    expect(status).toBe(400);
  });

  test('at most 6 in 60 seconds by one user, by whatever he signs in with', async () => {
    const org = await h.organization();
    const admin = await org.join('admin');
    const key = await h.key(org.owner, { organizationId: org.id });
    const update = (caller: Pick<TestUser, 'post'>, name: string) =>
      caller.post('organization.update', { organizationId: org.id, name });

    for (const left of [5, 4, 3, 2, 1, 0]) {
      const { status, headers } = await update(left % 2 === 0 ? key : org.owner, `Acme ${left}`);
      expect(status).toBe(200);
      expect(headers.get('ratelimit-policy')).toBe('"organization.update";q=6;w=60');
      expect(headers.get('ratelimit')).toMatch(new RegExp(`^"organization.update";r=${left};t=\\d+$`));
      expect(headers.has('retry-after')).toBe(false);
    }
    for (const caller of [org.owner, key]) {
      const { status, headers, body } = await update(caller, 'Acme 7');
      expect([status, body.code, body.data.reason]).toEqual([429, 'TOO_MANY_REQUESTS', 'rate_limited']);
      expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
      expect(Number(headers.get('retry-after'))).toBeLessThanOrEqual(60);
      expect(headers.get('ratelimit')).toMatch(/;r=0;/);
    }
    expect((await read(org.owner, org.id)).name).toBe('Acme 0');
    expect((await update(admin, 'Acme 8')).status).toBe(200);
  });
});

describe('delete', () => {
  test('takes members, invitations and bound keys along, and answers an empty list', async () => {
    const org = await h.organization();
    const member = await org.join('member');
    const key = await h.key(member, { organizationId: org.id });
    await org.owner.post('organization.inviteMember', { organizationId: org.id, email: 'ada@example.org' });
    const { status, body } = await org.owner.post('organization.delete', { organizationId: org.id });
    expect([status, body]).toEqual([200, []]);

    for (const user of [org.owner, member]) {
      expect((await user.get('organization.one', { organizationId: org.id })).status).toBe(404);
      expect((await user.get('organization.all')).body).toHaveLength(1);
    }
    expect((await key.get('user.session')).status).toBe(401);
    const [left] = await h.sql<{ rows: number }[]>`
      select ((select count(*) from memberships where organization_id = ${org.id})
        + (select count(*) from invitations where organization_id = ${org.id}))::int as rows`;
    expect(left?.rows).toBe(0);
  });

  test('the last one that somebody owns stays', async () => {
    const ada = await h.user();
    const [personal] = (await ada.get('organization.all')).body;
    const { id: elsewhere } = await h.organization();
    await h.sql`insert into memberships (id, organization_id, user_id, role)
      values (gen_random_uuid(), ${elsewhere}, ${ada.id}, 'admin')`; // belongs to it, does not own it
    const refused = await ada.post('organization.delete', { organizationId: personal.id });
    expect([refused.status, refused.body.data.reason]).toEqual([412, 'last_organization']);
    expect((await read(ada, personal.id)).id).toBe(personal.id);

    const id = await create(ada);
    expect((await ada.post('organization.delete', { organizationId: personal.id })).status).toBe(200);
    expect((await ada.post('organization.delete', { organizationId: id })).status).toBe(412);
  });
});

describe('the number of organizations', () => {
  test('an account owns so many at most, and a deleted one makes room', async () => {
    const ada = await h.user();
    const ids = [await create(ada), await create(ada), await create(ada)]; // and the personal one
    const refused = await ada.post('organization.create', { name: 'Acme' });
    expect([refused.status, refused.body.data.reason]).toEqual([412, 'too_many_organizations']);
    await ada.post('organization.delete', { organizationId: ids[0] });
    await create(ada);
  });

  test('organizations of others do not count', async () => {
    const ada = await h.user();
    const others = await Promise.all(times(4, () => h.organization()));
    await h.sql`insert into memberships (id, organization_id, user_id, role)
      select gen_random_uuid(), id, ${ada.id}, 'admin' from organizations where id = any(${others.map(({ id }) => id)})`;
    await create(ada);
  });

  test.each([
    ['admin', 200],
    ['rootAdmin', 200],
    ['staff', 412],
    ['user', 412],
  ])('a platform role of %s gets %i', async (role, status) => {
    const ada = await h.user();
    await h.sql`update users set role = ${role} where id = ${ada.id}`;
    await Promise.all(times(3, () => create(ada)));
    const replies = await Promise.all(times(3, () => ada.post('organization.create', { name: 'Acme' })));
    expect(statuses(replies)).toEqual([status, status, status]);
  });
});
