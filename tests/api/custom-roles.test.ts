import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isGiveable, PERMISSIONS } from '../../src/kernel/permissions.ts';
import { type Body, type Caller, createHarness, type Harness, times } from '../support/harness.ts';
import { invite, newAddress, newRoleOf, tokenFor } from './stage.ts';

let h: Harness;
beforeAll(async () => {
  h = await createHarness();
});
afterAll(() => h[Symbol.asyncDispose]());

const SUPPORT = { organization: ['read'], member: ['read', 'update'], invitation: ['read', 'create'] };
const SUPPORT_LIST = Object.entries(SUPPORT).flatMap(([of, actions]) =>
  actions.map((each) => `${of}:${each}`),
);

/** An organization with a role `support`, and somebody who has it. */
async function team(permissions: string[] = SUPPORT_LIST) {
  const org = await h.organization();
  await newRoleOf(h, org.id, 'support', permissions);
  return { ...org, organizationId: org.id, ada: await org.join('support') };
}
type Team = Awaited<ReturnType<typeof team>>;

const create = (by: Caller, organizationId: string, roleName: string, permissions: unknown = {}) =>
  by.post('customRole.create', { organizationId, roleName, permissions });
const update = (by: Caller, { organizationId }: Team, changes: Record<string, unknown>) =>
  by.post('customRole.update', { organizationId, roleName: 'support', permissions: SUPPORT, ...changes });
const remove = (by: Caller, { organizationId }: Team, roleName = 'support') =>
  by.post('customRole.remove', { organizationId, roleName });
const said = ({ status, body }: { status: number; body: Body }) => [status, body.data?.reason];

describe('create', () => {
  test('makes a role of the given rights, which the list shows with its holders', async () => {
    const { id, owner, join } = await h.organization();
    const { status, body } = await create(owner, id, ' First line ', { sshKey: ['read'], ...SUPPORT });
    expect(status).toBe(200);
    expect(body).toEqual({
      ...{ id: expect.any(String), organizationId: id, role: 'First line' },
      permissions: { ...SUPPORT, sshKey: ['read'] },
      createdAt: expect.any(String),
      updatedAt: body.createdAt,
    });
    const ada = await join('First line');
    expect((await owner.get('customRole.all', { organizationId: id })).body).toEqual([
      { ...body, ids: [body.id], memberCount: 1 },
    ]);
    const holders = await owner.get('customRole.membersByRole', {
      organizationId: id,
      roleName: 'First line',
    });
    expect(holders.body).toEqual([
      { id: ada.memberId, userId: ada.id, email: ada.email, firstName: '', lastName: '' },
    ]);
    const owners = await owner.get('customRole.membersByRole', { organizationId: id, roleName: 'owner' });
    expect(owners.body).toMatchObject([{ userId: owner.id }]);
    const nobody = await owner.get('customRole.membersByRole', { organizationId: id, roleName: 'First' });
    expect(said(nobody)).toEqual([404, 'role_not_found']);
  });

  test.each([
    ['a resource that there is not', { unicorn: [] }, ['permissions', 'unicorn']],
    ['a name of every object', JSON.parse('{"constructor":["read"]}'), ['permissions', 'constructor']],
    ['an action that there is not', { member: ['read', 'fly'] }, ['permissions', 'member', 1]],
    ['what is the owner’s alone', { organization: ['delete'] }, ['permissions', 'organization', 0]],
  ])('refuses %s and says where', async (_, permissions, path) => {
    const { id, owner } = await h.organization();
    const { status, body } = await create(owner, id, 'support', permissions);
    expect([status, body.issues?.[0]?.path]).toEqual([400, path]);
  });

  test.each(['owner', 'Admin', 'MEMBER', '', 'x'.repeat(51), 'two\nlines'])(
    'refuses the name %j',
    async (name) => {
      const { id, owner } = await h.organization();
      const { status, body } = await create(owner, id, name);
      expect([status, body.issues?.[0]?.path]).toEqual([400, ['roleName']]);
    },
  );

  test('refuses a name that is taken, however it is written; another organization may have it', async () => {
    const { organizationId, owner } = await team();
    expect(said(await create(owner, organizationId, 'Support'))).toEqual([409, 'role_exists']);
    const other = await h.organization();
    expect((await create(other.owner, other.id, 'Support')).status).toBe(200);
  });

  test('refuses rights that the caller, or his key, does not hold', async () => {
    const org = await team(['customRole:create', 'member:read']);
    const more = await create(org.ada, org.id, 'more', { member: ['read', 'update'] });
    expect(said(more)).toEqual([403, 'permission_missing']);
    expect(more.body.message).toContain('member:update');
    expect((await create(org.ada, org.id, 'less', { member: ['read'] })).status).toBe(200);
    const key = await h.key(org.owner, { organizationId: org.id, permissions: ['customRole:create'] });
    expect(said(await create(key, org.id, 'by key', { member: ['read'] }))).toEqual([
      403,
      'permission_missing',
    ]);
  });

  test('makes at most ten', async () => {
    const { id, owner } = await h.organization();
    for (const n of times(10, String)) expect((await create(owner, id, `role ${n}`)).status).toBe(200);
    expect(said(await create(owner, id, 'one more'))).toEqual([412, 'too_many_custom_roles']);
  });
});

describe('a role decides', () => {
  test('from the next request on, for sessions and keys, after it is given and after it is changed', async () => {
    const org = await team(['member:read']);
    const key = await h.key(org.ada, { organizationId: org.id });
    const statuses = async () =>
      Promise.all(
        [org.ada, key].map(
          async (caller) => (await caller.get('user.all', { organizationId: org.id })).status,
        ),
      );
    expect(await statuses()).toEqual([200, 200]);
    await update(org.owner, org, { permissions: {} });
    expect(await statuses()).toEqual([403, 403]);
    expect((await org.ada.get('user.getPermissions')).body.member).toEqual({ read: false, update: false });
    await update(org.owner, org, { permissions: { member: ['read'] } });
    expect(await statuses()).toEqual([200, 200]);
    expect((await key.get('apiKey.whoami')).body).toMatchObject({
      role: 'support',
      permissions: ['member:read'],
    });
  });

  test('about whom its holder acts on: members, not admins, not one another', async () => {
    const org = await team();
    const [admin, bob, member] = [
      await org.join('admin'),
      await org.join('support'),
      await org.join('member'),
    ];
    await newRoleOf(h, org.id, 'reader', ['member:read']);
    const give = (memberId: string, role = 'reader') =>
      org.ada.post('organization.updateMemberRole', { memberId, role });
    expect(said(await give(admin.memberId))).toEqual([403, 'rank_too_low']);
    expect(said(await give(bob.memberId))).toEqual([403, 'rank_too_low']);
    expect(said(await give(org.ada.memberId))).toEqual([403, 'own_role']);
    expect(said(await give(member.memberId, 'admin'))).toEqual([403, 'role_not_grantable']);
    expect(said(await give(member.memberId, 'unheard of'))).toEqual([400, 'unknown_role']);
    expect((await give(member.memberId)).status).toBe(200);
    const demoted = await admin.post('organization.updateMemberRole', {
      memberId: bob.memberId,
      role: 'member',
    });
    expect(demoted.status).toBe(200);
  });

  test('gives nobody a rank above its own, whatever rights it holds', async () => {
    const org = await team(PERMISSIONS.filter(isGiveable));
    const { organizationId, ada } = org;
    const { memberId } = await org.join('member');
    const refused = [403, 'role_not_grantable'];
    const promoted = await ada.post('organization.updateMemberRole', { memberId, role: 'admin' });
    expect(said(promoted)).toEqual(refused);
    const accomplice = { organizationId, email: newAddress(), role: 'admin' };
    expect(said(await ada.post('organization.inviteMember', accomplice))).toEqual(refused);
    const byDefault = { organizationId, defaultRole: 'admin' };
    expect(said(await ada.post('organization.update', byDefault))).toEqual(refused);
    const { status } = await ada.post('organization.updateMemberRole', { memberId, role: 'support' });
    expect(status).toBe(200);
  });

  test('about invitations: they can be made to it, and fall with what their inviter lacks then', async () => {
    const org = await team();
    await newRoleOf(h, org.id, 'reader', ['member:read']);
    const { id, email } = await invite(org.ada, org.id, newAddress(), 'reader');
    const token = await tokenFor(h, email);
    const status = async () => {
      const { body } = await org.owner.get('organization.allInvitations', { organizationId: org.id });
      return body.find((each: Body) => each.id === id).status;
    };
    expect(await status()).toBe('pending');
    await org.owner.post('customRole.update', {
      organizationId: org.id,
      roleName: 'reader',
      permissions: { auditLog: ['read'] },
    });
    expect(await status()).toBe('canceled');
    await update(org.owner, org, { permissions: { invitation: ['create'], auditLog: ['read'] } });
    expect(await status()).toBe('pending');
    const guest = await h.user({ email });
    expect((await guest.post('invitation.accept', { token })).status).toBe(200);
    const { body } = await org.owner.get('customRole.membersByRole', {
      organizationId: org.id,
      roleName: 'reader',
    });
    expect(body).toMatchObject([{ userId: guest.id }]);
  });

  test('only in its own organization', async () => {
    const [here, there] = [await team(), await h.organization()];
    const elsewhere = { organizationId: there.id, email: newAddress(), role: 'support' };
    expect(said(await there.owner.post('organization.inviteMember', elsewhere))).toEqual([
      400,
      'unknown_role',
    ]);
    const asDefault = { organizationId: there.id, defaultRole: 'support' };
    expect(said(await there.owner.post('organization.update', asDefault))).toEqual([400, 'unknown_role']);
    expect(said(await remove(there.owner, { ...here, organizationId: there.id }))).toEqual([
      ...[404, 'custom_role_not_found'],
    ]);
    await expect(
      h.sql`update memberships set role = 'sales' where id = ${here.ada.memberId}`,
    ).rejects.toThrow('memberships_custom_role_fk');
  });
});

describe('update', () => {
  test('carries members, invitations and the default role to the new name', async () => {
    const org = await team();
    const { organizationId, owner, ada } = org;
    const { email } = await invite(owner, organizationId, newAddress(), 'support');
    await owner.post('organization.update', { organizationId, defaultRole: 'support' });
    const { status, body } = await update(owner, org, { newRoleName: 'Helpers' });
    expect([status, body.role, body.permissions]).toEqual([200, 'Helpers', SUPPORT]);
    expect((await ada.get('organization.one', { organizationId })).body).toMatchObject({
      role: 'Helpers',
      defaultRole: 'Helpers',
    });
    const invitations = await owner.get('organization.allInvitations', { organizationId });
    expect(invitations.body).toMatchObject([{ email, role: 'Helpers', status: 'pending' }]);
    const { body: entries } = await owner.get('auditLog.all', { organizationId, limit: 1 });
    expect(entries).toMatchObject([
      {
        ...{ action: 'update', resourceType: 'customRole', resourceName: 'Helpers', userRole: 'owner' },
        before: { name: 'support', permissions: SUPPORT },
        after: { name: 'Helpers', permissions: SUPPORT },
      },
    ]);
    expect(said(await update(owner, org, {}))).toEqual([404, 'custom_role_not_found']);
  });

  test('refuses a name that another role has, and takes the same in other letters', async () => {
    const org = await team();
    await newRoleOf(h, org.id, 'sales');
    expect(said(await update(org.owner, org, { newRoleName: 'Sales' }))).toEqual([409, 'role_exists']);
    expect((await update(org.owner, org, { newRoleName: 'admin' })).status).toBe(400);
    expect((await update(org.owner, org, { newRoleName: 'Support' })).status).toBe(200);
  });

  test('is not for who has the role, nor for his equals', async () => {
    const org = await team(['customRole:update', 'member:read']);
    await newRoleOf(h, org.id, 'reader', ['member:read']);
    const changeReader = () => update(org.ada, org, { roleName: 'reader', permissions: {} });
    expect(said(await update(org.ada, org, { permissions: {} }))).toEqual([403, 'rank_too_low']);
    const bob = await org.join('reader');
    expect(said(await changeReader())).toEqual([403, 'rank_too_low']);
    await h.sql`update memberships set role = 'member' where id = ${bob.memberId}`;
    expect((await changeReader()).status).toBe(200);
  });

  test('is neither to nor from rights that the caller lacks', async () => {
    const org = await team(['customRole:update', 'member:read']);
    await newRoleOf(h, org.id, 'auditor', ['auditLog:read']);
    const take = await update(org.ada, org, { roleName: 'auditor', permissions: {} });
    expect(said(take)).toEqual([403, 'permission_missing']);
    await newRoleOf(h, org.id, 'empty');
    const give = await update(org.ada, org, { roleName: 'empty', permissions: { auditLog: ['read'] } });
    expect(said(give)).toEqual([403, 'permission_missing']);
  });
});

describe('remove', () => {
  test('is refused while anything names the role, and says what', async () => {
    const org = await team();
    const { organizationId, owner, ada } = org;
    const { id: invitationId } = await invite(owner, organizationId, newAddress(), 'support');
    await owner.post('organization.update', { organizationId, defaultRole: 'support' });
    const message = async () => {
      const reply = await remove(owner, org);
      expect(said(reply)).toEqual([412, 'role_in_use']);
      return reply.body.message;
    };
    expect(await message()).toContain('1 member, 1 open invitation, the default role');
    await owner.post('organization.updateMemberRole', { memberId: ada.memberId, role: 'member' });
    expect(await message()).not.toContain('member,');
    await owner.post('organization.removeInvitation', { invitationId });
    expect(await message()).not.toContain('invitation,');
    await owner.post('organization.update', { organizationId, defaultRole: null });
    expect((await remove(owner, org)).body).toEqual({ deleted: 1 });
    expect(said(await remove(owner, org))).toEqual([404, 'custom_role_not_found']);
    expect((await owner.get('customRole.all', { organizationId })).body).toEqual([]);
  });

  test('closes invitations that have expired, which then cannot be sent again', async () => {
    const org = await h.organization();
    await newRoleOf(h, org.id, 'support');
    const { id: invitationId } = await invite(org.owner, org.id, newAddress(), 'support');
    await h.sql`update invitations set expires_at = now() - interval '1 day' where id = ${invitationId}`;
    const removed = await org.owner.post('customRole.remove', {
      organizationId: org.id,
      roleName: 'support',
    });
    expect(removed.status).toBe(200);
    const resent = await org.owner.post('organization.resendInvitation', { invitationId });
    expect(said(resent)).toEqual([412, 'invitation_closed']);
  });

  test('comes with the organization', async () => {
    const org = await team();
    await org.owner.post('organization.update', { organizationId: org.id, defaultRole: 'support' });
    await invite(org.owner, org.id, newAddress(), 'support');
    expect((await org.owner.post('organization.delete', { organizationId: org.id })).status).toBe(200);
    expect(await h.sql`select 1 from custom_roles where organization_id = ${org.id}`).toHaveLength(0);
  });
});

test('the statements are those that a role can be made of', async () => {
  const { id, owner } = await h.organization();
  const { body } = await owner.get('customRole.getStatements', { organizationId: id });
  expect(body.organization).toEqual(['read', 'update']);
  expect((await create(owner, id, 'everything', body)).status).toBe(200);
});
