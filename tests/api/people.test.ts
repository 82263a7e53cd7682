import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { newId } from '../../src/kernel/ids.ts';
import { type BuiltInRole, can, type Permission, roleOf } from '../../src/kernel/permissions.ts';
import { type Body, createHarness, type Harness, PASSWORD, type TestUser } from '../support/harness.ts';
import { FLAGS, invite, leaveEverything, newRoleOf } from './stage.ts';

/* Dokploy's procedures about the people of an organization. */

let h: Harness;
let root: TestUser;
beforeAll(async () => {
  h = await createHarness();
  root = await h.user(); // the first account is the rootAdmin
});
afterAll(() => h[Symbol.asyncDispose]());

describe('user.all', () => {
  test('lists the members of the active organization in the order in which they joined', async () => {
    const { id: organizationId, owner, join } = await h.organization();
    const [admin, member] = [await join('admin'), await join('member')];
    await (await h.organization()).join('member');
    const { status, body } = await member.get('user.all');
    expect(status).toBe(200);
    expect(body.map((row: Body) => [row.userId, row.role, row.organizationId])).toEqual([
      [owner.id, 'owner', organizationId],
      [admin.id, 'admin', organizationId],
      [member.id, 'member', organizationId],
    ]);
    expect(body[2]).toMatchObject({ id: member.memberId, user: { id: member.id, email: member.email } });
    expect((await owner.get('user.all', { organizationId })).body).toEqual(body);
  });

  test('shows what members may know of one another, and no more', async () => {
    const { id: organizationId, owner, join } = await h.organization();
    const member = await join('member');
    await h.sql`update users set billing_line1 = 'Canary street', date_of_birth = '1999-12-31',
      suspension_reason = 'canary' where id = ${owner.id}`;
    const { body, text } = await member.get('user.all', { organizationId });
    expect(Object.keys(body[0].user).sort()).toEqual(
      [
        ...['avatarUrl', 'createdAt', 'displayName', 'email', 'emailVerified', 'firstName', 'id'],
        ...['image', 'lastName', 'name', 'role', 'updatedAt'],
      ].sort(),
    );
    expect(text).not.toMatch(/canary|1999|argon2|password|secret|hash|token/i);
  });
});

describe('user.getPermissions', () => {
  const granted = (table: Record<string, Record<string, boolean>>): string[] =>
    Object.entries(table).flatMap(([resource, actions]) =>
      Object.entries(actions).flatMap(([action, given]) => (given ? [`${resource}:${action}`] : [])),
    );

  test.each<BuiltInRole>(['owner', 'admin', 'member'])(
    'of a member as %s are those of the role',
    async (role) => {
      const org = await h.organization();
      const person = role === 'owner' ? org.owner : await org.join(role);
      if (role === 'owner') await person.post('organization.setActive', { organizationId: org.id });
      const { status, body } = await person.get('user.getPermissions');
      expect(status).toBe(200);
      expect(granted(body).sort()).toEqual([...roleOf(role).permissions].sort());
      for (const permission of roleOf('owner').permissions) {
        const [resource = '', action = ''] = permission.split(':');
        expect(body[resource][action], permission).toBe(can(roleOf(role), permission));
      }
    },
  );

  test('with a key are those that both its holder and it have, at every moment', async () => {
    const org = await h.organization();
    const admin = await org.join('admin');
    const permissions: Permission[] = ['member:read', 'invitation:create'];
    const key = await h.key(admin, { organizationId: org.id, permissions });
    expect(granted((await key.get('user.getPermissions')).body).sort()).toEqual([...permissions].sort());
    await org.owner.post('organization.updateMemberRole', { memberId: admin.memberId, role: 'member' });
    expect(granted((await key.get('user.getPermissions')).body)).toEqual(['member:read']);
  });

  test('are those of the organization that is named, which the caller belongs to', async () => {
    const [org, other] = [await h.organization(), await h.organization()];
    const role = await newRoleOf(h, org.id, 'operator', ['server:read', 'server:update']);
    const person = await org.join(role);
    const of = (caller: { get: TestUser['get'] }, { id }: { id: string }) =>
      caller.get('user.getPermissions', { organizationId: id });
    await h.sql`update sessions set active_organization_id = null where user_id = ${person.id}`;
    expect(granted((await of(person, org)).body)).toEqual(['server:read', 'server:update']);
    const limited = await h.key(org.owner, { organizationId: org.id, permissions: ['server:read'] });
    expect(granted((await of(limited, org)).body)).toEqual(['server:read']);
    for (const caller of [person, limited]) expect((await of(caller, other)).status).toBe(404);
  });

  test('are none for who belongs to no organization', async () => {
    const nobody = await h.user();
    await leaveEverything(h, nobody);
    const { status, body } = await nobody.get('user.getPermissions');
    expect([status, granted(body)]).toEqual([200, []]);
  });
});

test('user.haveRootAccess is for rootAdmins, without a key that is limited', async () => {
  const [admin, user] = [await h.user(), await h.user()];
  await h.sql`update users set role = 'admin' where id = ${admin.id}`;
  const answers = async (...callers: { get: TestUser['get'] }[]) =>
    Promise.all(callers.map(async (caller) => (await caller.get('user.haveRootAccess')).body));
  expect(await answers(root, admin, user)).toEqual([true, false, false]);
  const whole = await h.key(root, { scope: 'user' });
  const bound = await h.key(root);
  const limited = await h.key(root, { scope: 'user', permissions: ['member:read'] });
  expect(await answers(whole, bound, limited)).toEqual([true, false, false]);
});

test('what can name no account is refused with the rule', async () => {
  const { status, body } = await (await h.user()).post('user.remove', {
    userId: 7,
    currentPassword: PASSWORD,
  });
  expect([status, body.message]).toEqual([400, 'Invalid input: userId: Send the id of an account, or me.']);
});

describe('user.getInvitations', () => {
  test('answers the open invitations of the verified address, with their organizations', async () => {
    const { id: organizationId, owner } = await h.organization();
    const guest = await h.user();
    const { id } = await invite(owner, organizationId, guest.email, 'admin');
    await invite(owner, organizationId);
    const { status, body, text } = await guest.get('user.getInvitations');
    expect(status).toBe(200);
    expect(body).toMatchObject([
      {
        ...{ id, organizationId, email: guest.email, role: 'admin', status: 'pending', inviterId: owner.id },
        organization: { id: organizationId, name: 'Acme' },
      },
    ]);
    expect(text).not.toMatch(/token|hash/i);
    await guest.post('invitation.reject', { invitationId: id });
    expect((await guest.get('user.getInvitations')).body).toEqual([]);
  });

  test('opens nothing to an address that is not verified', async () => {
    const { status, body } = await (await h.user({ verified: false })).get('user.getInvitations');
    expect([status, body.data.reason]).toEqual([403, 'email_not_verified']);
  });
});

describe('user.checkUserOrganizations', () => {
  const countOf = async (caller: { get: TestUser['get'] }, userId: string) =>
    (await caller.get('user.checkUserOrganizations', { userId })).body;

  test('counts all for oneself and for staff, for others what they share', async () => {
    const [one, other] = [await h.organization(), await h.organization()];
    const member = await one.join('member');
    for (const { id } of [other]) {
      await h.sql`insert into memberships (id, organization_id, user_id, role)
        values (${newId()}, ${id}, ${member.id}, 'member')`;
    }
    expect([await countOf(member, 'me'), await countOf(member, member.id)]).toEqual([3, 3]);
    expect(await countOf(root, member.id)).toBe(3);
    await one.owner.post('organization.setActive', { organizationId: one.id });
    expect(await countOf(one.owner, member.id)).toBe(1);
    await h.sql`insert into memberships (id, organization_id, user_id, role)
      values (${newId()}, ${other.id}, ${one.owner.id}, 'member')`;
    expect(await countOf(one.owner, member.id)).toBe(2);
  });

  test('knows nobody but members of the active organization', async () => {
    const org = await h.organization();
    const member = await org.join('member');
    const ask = (userId: string) => org.owner.get('user.checkUserOrganizations', { userId });
    const foreign = await ask(member.id); // the owner's personal organization is active
    const missing = await ask(newId());
    expect([foreign.status, foreign.text]).toEqual([404, missing.text]);
  });
});

describe('user.assignPermissions', () => {
  const assign = (caller: { post: TestUser['post'] }, input: Record<string, unknown>) =>
    caller.post('user.assignPermissions', { ...FLAGS, ...input });

  test('takes what holds anyway, by the id of the account or of the membership', async () => {
    const { id: organizationId, owner, join } = await h.organization();
    const member = await join('member');
    for (const id of [member.id, member.memberId]) {
      const { status, body } = await assign(owner, { organizationId, id });
      expect([status, body]).toEqual([200, true]);
    }
  });

  test.each([
    { canCreateProjects: true },
    { accessedServers: ['one'] },
    { canAccessToAPI: false },
    { canAccessToSSHKeys: false },
  ])('does not claim to give or take %j', async (flags) => {
    const { id: organizationId, owner, join } = await h.organization();
    const { status, body } = await assign(owner, { organizationId, id: (await join('member')).id, ...flags });
    expect([status, body.data.reason]).toEqual([412, 'permissions_follow_role']);
    expect(body.message).toContain(Object.keys(flags)[0]);
    expect(body.message).toContain('organization.updateMemberRole');
  });

  test('is for lower ranks only', async () => {
    const { id: organizationId, owner, join } = await h.organization();
    const [admin, other] = [await join('admin'), await join('admin')];
    for (const { id } of [admin, other, owner]) {
      const { status, body } = await assign(admin, { organizationId, id });
      expect([status, body.data.reason]).toEqual([403, 'rank_too_low']);
    }
  });

  test('does not know members of other organizations', async () => {
    const [here, there] = [await h.organization(), await h.organization()];
    const foreign = await assign(here.owner, {
      organizationId: here.id,
      id: (await there.join('member')).id,
    });
    const missing = await assign(here.owner, { organizationId: here.id, id: newId() });
    expect([foreign.status, foreign.text]).toEqual([404, missing.text]);
  });
});

test('user.generateToken answers a word, as in Dokploy, and makes nothing', async () => {
  const { status, body } = await root.post('user.generateToken');
  expect([status, body]).toEqual([200, 'token']);
});
