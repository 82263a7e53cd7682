import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { newId } from '../../src/kernel/ids.ts';
import { type Caller, createHarness, type Harness } from '../support/harness.ts';
import { invite, newRoleOf } from './stage.ts';

let h: Harness;
beforeAll(async () => {
  h = await createHarness();
});
afterAll(() => h[Symbol.asyncDispose]());

type Role = 'admin' | 'member';

/** An organization with its owner, two admins and two members. */
async function team() {
  const { id, owner, join } = await h.organization();
  const [row] = await h.sql<{ id: string }[]>`
    select id from memberships where organization_id = ${id} and user_id = ${owner.id}`;
  return {
    id,
    owner: { ...owner, memberId: row?.id ?? '' },
    admin: await join('admin'),
    otherAdmin: await join('admin'),
    member: await join('member'),
    otherMember: await join('member'),
  };
}
type Person = Exclude<keyof Awaited<ReturnType<typeof team>>, 'id'>;

const change = (caller: Caller, memberId: string, role: string) =>
  caller.post('organization.updateMemberRole', { memberId, role });
const roleOf = async (memberId: string): Promise<string | undefined> => {
  const [row] = await h.sql<{ role: string }[]>`select role from memberships where id = ${memberId}`;
  return row?.role;
};

describe('updateMemberRole', () => {
  test.each<[Person, Person, Role]>([
    ['owner', 'admin', 'member'],
    ['owner', 'member', 'admin'],
    ['admin', 'member', 'admin'],
    ['admin', 'otherMember', 'member'],
  ])('%s makes %s %s', async (actor, target, role) => {
    const people = await team();
    const { status, body } = await change(people[actor], people[target].memberId, role);
    expect([status, body]).toEqual([200, true]);
    expect(await roleOf(people[target].memberId)).toBe(role);
    const { body: entries } = await people.owner.get('auditLog.all', { organizationId: people.id, limit: 1 });
    expect(entries).toMatchObject([
      {
        action: 'update',
        resourceType: 'member',
        resourceId: people[target].memberId,
        userId: people[actor].id,
        before: { userId: people[target].id },
        after: { userId: people[target].id, role },
      },
    ]);
  });

  test.each<[Person, Person, string, number, string]>([
    ['owner', 'owner', 'member', 403, 'own_role'],
    ['admin', 'admin', 'member', 403, 'own_role'],
    ['admin', 'owner', 'member', 403, 'rank_too_low'],
    ['admin', 'owner', 'admin', 403, 'rank_too_low'],
    ['admin', 'otherAdmin', 'member', 403, 'rank_too_low'],
    ['admin', 'otherAdmin', 'admin', 403, 'rank_too_low'],
    ['member', 'otherMember', 'admin', 403, 'permission_missing'],
    ['member', 'member', 'admin', 403, 'permission_missing'],
    ['member', 'owner', 'member', 403, 'permission_missing'],
    ['owner', 'admin', 'owner', 400, 'invalid_input'],
    ['admin', 'admin', 'owner', 400, 'invalid_input'],
    ['owner', 'member', 'king', 400, 'unknown_role'],
    ['owner', 'member', '', 400, 'invalid_input'],
  ])('%s does not make %s %j', async (actor, target, role, status, reason) => {
    const people = await team();
    const { memberId } = people[target];
    const before = await roleOf(memberId);
    const reply = await change(people[actor], memberId, role);
    expect([reply.status, reply.body.data.reason]).toEqual([status, reason]);
    expect(await roleOf(memberId)).toBe(before);
  });

  test('an id in capitals is the same id', async () => {
    const { owner, admin, member } = await team();
    const own = await change(admin, admin.memberId.toUpperCase(), 'member');
    expect([own.status, own.body.data.reason]).toEqual([403, 'own_role']);
    expect((await change(owner, member.memberId.toUpperCase(), 'admin')).status).toBe(200);
  });

  test('a member of another organization is not found, whatever one is at home', async () => {
    const [here, there] = [await team(), await team()];
    const foreign = await change(here.owner, there.member.memberId, 'admin');
    const missing = await change(here.owner, newId(), 'admin');
    expect(foreign.status).toBe(404);
    expect(foreign.text).toBe(missing.text);
    expect(await roleOf(there.member.memberId)).toBe('member');
  });

  test('the organization is that of the member, whatever else is named or active', async () => {
    const [here, there] = [await team(), await team()];
    const { status } = await here.owner.post('organization.updateMemberRole', {
      organizationId: here.id,
      memberId: there.member.memberId,
      role: 'admin',
    });
    expect(status).toBe(404);

    const both = here.admin;
    const memberId = newId();
    await h.sql`insert into memberships (id, organization_id, user_id, role)
      values (${memberId}, ${there.id}, ${both.id}, 'member')`;
    await both.post('organization.setActive', { organizationId: here.id }); // an admin here
    expect((await change(both, there.otherMember.memberId, 'admin')).status).toBe(403); // a member there
  });

  test('takes effect at once, for sessions and for keys', async () => {
    const { id, owner, admin, member } = await team();
    const key = await h.key(admin, { organizationId: id });
    await change(owner, admin.memberId, 'member');
    for (const caller of [admin, key]) {
      expect((await caller.get('auditLog.all', { organizationId: id })).status).toBe(403);
      expect((await caller.get('organization.one', { organizationId: id })).body.role).toBe('member');
    }
    await change(owner, member.memberId, 'admin');
    expect((await member.get('auditLog.all', { organizationId: id })).status).toBe(200);
  });
});

describe('an admin whose change waits for the organization', () => {
  const changes = {
    'organization.updateMemberRole': ({ member }) => ({ memberId: member.memberId, role: 'admin' }),
    'organization.inviteMember': ({ id }) => ({ organizationId: id, email: 'guest@example.org' }),
    'organization.removeInvitation': async ({ id, owner }) => ({
      invitationId: (await invite(owner, id)).id,
    }),
    'organization.update': ({ id }) => ({ organizationId: id, name: 'Taken' }),
    'organization.addMember': ({ id }) => ({ organizationId: id, email: 'guest@example.org' }),
    'organization.inviteMembers': ({ id }) => ({
      organizationId: id,
      invitations: [{ email: 'guest@example.org' }],
    }),
    'organization.invitationLink': async ({ id, owner }) => ({ invitationId: (await invite(owner, id)).id }),
    'organization.removeMember': ({ member }) => ({ memberId: member.memberId }),
  } satisfies Record<string, (people: Awaited<ReturnType<typeof team>>) => unknown>;
  const fates = {
    demoted: [403, 'permission_missing'],
    removed: [404, 'organization_not_found'],
  } as const;

  test.each(
    Object.entries(changes).flatMap(([name, inputFor]) =>
      Object.entries(fates).map(([fate, expected]) => ({ name, inputFor, fate, expected })),
    ),
  )('and who is $fate meanwhile is refused $name', async ({ name, inputFor, fate, expected }) => {
    const people = await team();
    const { memberId } = people.admin;
    const input = await inputFor(people);
    const [reply] = await h.race(people.id, [() => people.admin.post(name, input)], (tx) =>
      fate === 'demoted'
        ? tx`update memberships set role = 'member' where id = ${memberId}`
        : tx`delete from memberships where id = ${memberId}`,
    );
    expect([reply?.status, reply?.body.data.reason]).toEqual(expected);
    const { body } = await people.owner.get('auditLog.all', { organizationId: people.id });
    expect(body.filter(({ userId }: { userId: string }) => userId === people.admin.id)).toEqual([]);
  });
});

describe('a profile', () => {
  test('is seen by members of the active organization, and by platform staff', async () => {
    const { id, owner, admin, member } = await team();
    const stranger = await h.user();
    for (const caller of [admin, member]) {
      await caller.post('organization.setActive', { organizationId: id });
      const { status, body } = await caller.get('user.one', { userId: owner.id });
      expect([status, body.id, body.email]).toEqual([200, owner.id, owner.email]);
      expect(Object.keys(body).join()).not.toMatch(/password|hash|token|secret/i);
    }
    for (const userId of [owner.id, newId()]) {
      expect((await stranger.get('user.one', { userId })).status).toBe(404);
    }
    expect((await stranger.get('user.one', { userId: 'me' })).body.id).toBe(stranger.id);
    expect((await stranger.get('user.one', { userId: stranger.id.toUpperCase() })).body.id).toBe(stranger.id);

    await h.sql`update users set role = 'staff' where id = ${stranger.id}`;
    expect((await stranger.get('user.one', { userId: owner.id })).body.id).toBe(owner.id);
  });

  test('is not seen by whose role or key lacks member:read, but for his own', async () => {
    const { id, owner, admin } = await team();
    await newRoleOf(h, id, 'records', ['dnsRecord:read']);
    const key = await h.key(admin, { organizationId: id, permissions: ['member:read'] });
    await admin.post('organization.setActive', { organizationId: id });
    const statusOf = async (caller: Caller, userId: string) =>
      (await caller.get('user.one', { userId })).status;
    for (const caller of [admin, key]) expect(await statusOf(caller, owner.id)).toBe(200);
    await owner.post('organization.updateMemberRole', { memberId: admin.memberId, role: 'records' });
    for (const caller of [admin, key]) {
      expect(await statusOf(caller, owner.id)).toBe(404);
      expect(await statusOf(caller, admin.id)).toBe(200);
    }
    expect((await admin.get('user.checkUserOrganizations', { userId: owner.id })).status).toBe(404);
  });

  test('is not seen any more once the membership has ended', async () => {
    const { owner, member } = await team();
    expect((await member.get('user.one', { userId: owner.id })).status).toBe(200);
    await h.sql`delete from memberships where id = ${member.memberId}`;
    expect((await member.get('user.one', { userId: owner.id })).status).toBe(404);
  });
});

test('the database allows no organization without its owner, and no second one', async () => {
  const { id, owner, admin } = await team();
  const tries = [
    h.sql`update memberships set role = 'member' where id = ${owner.memberId}`,
    h.sql`delete from memberships where id = ${owner.memberId}`,
    h.sql`update memberships set role = 'owner' where id = ${admin.memberId}`,
    h.sql`update organizations set owner_id = ${admin.id} where id = ${id}`,
    h.sql`delete from users where id = ${owner.id}`,
  ];
  const results = await Promise.allSettled(tries);
  expect(results.map(({ status }) => status)).toEqual(tries.map(() => 'rejected'));
});

describe('a key that is limited to permissions', () => {
  test.each([
    ['organization.inviteMember', ['invitation:create'], { email: 'accomplice@example.org', role: 'admin' }],
    ['organization.addMember', ['invitation:create'], { email: 'accomplice@example.org', role: 'admin' }],
    ['organization.update', ['organization:update'], { defaultRole: 'admin' }],
  ])(
    'hands out no right by %s that it lacks, whatever its holder may do',
    async (name, permissions, input) => {
      const { id: organizationId, owner } = await h.organization();
      const key = await h.key(owner, { organizationId, permissions });
      const { status, body } = await key.post(name, { organizationId, ...input });
      expect([status, body.data.reason]).toEqual([403, 'role_not_grantable']);
      expect((await owner.post(name, { organizationId, ...input })).status).toBe(200);
    },
  );

  test('makes nobody admin', async () => {
    const { id: organizationId, owner, join } = await h.organization();
    const { memberId } = await join('member');
    const key = await h.key(owner, { organizationId, permissions: ['member:update'] });
    const input = { memberId, role: 'admin' };
    expect((await key.post('organization.updateMemberRole', input)).status).toBe(403);
    expect((await owner.post('organization.updateMemberRole', input)).status).toBe(200);
  });
});
