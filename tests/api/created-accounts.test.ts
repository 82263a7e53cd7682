import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { newId } from '../../src/kernel/ids.ts';
import { createHarness, type Harness, PASSWORD, statuses, type TestUser, times } from '../support/harness.ts';
import { invite, newAddress } from './stage.ts';

/* An account with a password that somebody else has chosen. */

let h: Harness;
let root: TestUser;
beforeAll(async () => {
  h = await createHarness();
  root = await h.user(); // the first account is the rootAdmin
});
afterAll(() => h[Symbol.asyncDispose]());

describe('user.createUserWithCredentials', () => {
  const create = (caller: { post: TestUser['post'] }, input: Record<string, unknown> = {}) =>
    caller.post('user.createUserWithCredentials', {
      ...{ email: newAddress(), password: PASSWORD, role: 'member' },
      ...input,
    });

  test('makes an account that is a member, unverified and without an organization of its own', async () => {
    const organizationId = (await root.get('organization.active')).body.id;
    const { status, body } = await create(root, { email: ' New.One@Example.org ', role: 'admin' });
    expect(status).toBe(200);
    expect(body).toEqual({
      ...{ id: expect.any(String), memberId: expect.any(String), organizationId },
      ...{ email: 'new.one@example.org', role: 'admin' },
    });
    const rows = await h.sql`
      select u.email_verified, u.role as platform_role, m.id, m.organization_id, m.role, m.is_default
      from users u join memberships m on m.user_id = u.id where u.id = ${body.id}`;
    expect([...rows]).toEqual([
      {
        ...{ emailVerified: false, platformRole: 'user', id: body.memberId },
        ...{ organizationId, role: 'admin', isDefault: true },
      },
    ]);
    const signIn = await h.anonymous.post('auth/sign-in/email', { email: body.email, password: PASSWORD });
    expect(signIn.status).toBe(200);
  });

  test('leaves an account that exists alone', async () => {
    const victim = await h.user();
    const { status, body } = await create(root, { email: victim.email, password: 'Another-horse-2' });
    expect([status, body.data.reason]).toEqual([409, 'email_taken']);
    expect((await victim.get('user.checkUserOrganizations', { userId: 'me' })).body).toBe(1);
    const signIn = await h.anonymous.post('auth/sign-in/email', { email: victim.email, password: PASSWORD });
    expect(signIn.status).toBe(200);
  });

  test('is not for owners and admins of organizations, nor for platform staff', async () => {
    const org = await h.organization();
    const staff = await org.join('admin');
    await h.sql`update users set role = 'staff' where id = ${staff.id}`;
    for (const caller of [org.owner, await org.join('admin'), staff]) {
      const { status, body } = await create(caller, { organizationId: org.id });
      expect([status, body.data.reason]).toEqual([403, 'platform_right_missing']);
      expect(body.message).toContain('organization.inviteMember');
    }
  });

  test('platform administrators too act as members only', async () => {
    const org = await h.organization();
    const admin = await h.user();
    await h.sql`update users set role = 'admin' where id = ${admin.id}`;
    const email = newAddress();
    expect((await create(admin, { email, organizationId: org.id })).status).toBe(404);
    await h.sql`insert into memberships (id, organization_id, user_id, role)
      values (${newId()}, ${org.id}, ${admin.id}, 'member')`;
    expect((await create(admin, { email, organizationId: org.id })).status).toBe(403);
    expect(await h.sql`select 1 from users where email = ${email}`).toHaveLength(0);
    await h.sql`update memberships set role = 'admin' where user_id = ${admin.id} and organization_id = ${org.id}`;
    expect((await create(admin, { email, organizationId: org.id })).status).toBe(200);
  });

  test.each([
    ['an owner', { role: 'owner' }, 'invalid_input'],
    ['a weak password', { password: 'aaaaaaaaaa' }, 'weak_password'],
    ['no address', { email: 'nobody' }, 'invalid_input'],
  ])('does not take %s', async (_, input, reason) => {
    const { status, body } = await create(root, input);
    expect([status, body.data.reason]).toEqual([400, reason]);
    expect(body.issues[0].path).toEqual(Object.keys(input));
  });

  test('closes the invitation that the account does not need any more', async () => {
    const organizationId = (await root.get('organization.active')).body.id;
    const { id, email } = await invite(root, organizationId);
    expect((await create(root, { email })).status).toBe(200);
    const [row] = await h.sql<{ status: string }[]>`select status from invitations where id = ${id}`;
    expect(row?.status).toBe('canceled');
  });

  test('gives an address to one of eight at once', async () => {
    const organizationId = (await root.get('organization.active')).body.id;
    const email = newAddress();
    const replies = await h.race(
      organizationId,
      times(8, () => () => create(root, { email })),
    );
    const [made, ...others] = statuses(replies);
    expect(made).toBe(200);
    // On a busy machine some wait for the one lock longer than they may, and are told to come again.
    for (const status of others) expect([409, 503]).toContain(status);
    expect(await h.sql`select 1 from users where email = ${email}`).toHaveLength(1);
  });
});
