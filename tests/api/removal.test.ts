import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { newId } from '../../src/kernel/ids.ts';
import type { PlatformRole } from '../../src/kernel/permissions.ts';
import { payloadSchema } from '../../src/kernel/webhook-events/index.ts';
import { createHarness, type Harness, PASSWORD, type TestUser, times } from '../support/harness.ts';
import { mailsTo } from '../support/links.ts';
import { invite, leaveEverything, newWebhookOf } from './stage.ts';

/* Whole accounts: deleted by their holders and by platform administrators, never with what others use. */

let h: Harness;
let root: TestUser;
beforeAll(async () => {
  h = await createHarness({ MAX_ORGANIZATIONS_PER_USER: '1000' });
  root = await h.user(); // the first account is the rootAdmin
});
afterAll(() => h[Symbol.asyncDispose]());

const remove = (caller: { post: TestUser['post'] }, input: Record<string, unknown>) =>
  caller.post('user.remove', input);
const leave = (caller: { post: TestUser['post'] }, input: Record<string, unknown> = {}) =>
  remove(caller, { userId: 'me', currentPassword: PASSWORD, ...input });
const exists = async (userId: string): Promise<boolean> =>
  (await h.sql`select 1 from users where id = ${userId}`).length === 1;

/** An account with a platform role that owns nothing. */
async function person(role: PlatformRole = 'user'): Promise<TestUser> {
  const user = await h.user();
  await leaveEverything(h, user);
  await h.sql`update users set role = ${role} where id = ${user.id}`;
  return user;
}

describe("one's own account", () => {
  test('goes with everything that is only its own, and the trail stays', async () => {
    const org = await h.organization();
    const member = await org.join('admin');
    await h.sql`delete from organizations where owner_id = ${member.id}`;
    const key = await h.key(member, { organizationId: org.id });
    await h.sql`insert into ssh_keys (id, user_id, name, public_key, type, bits, fingerprint)
      values (${newId()}, ${member.id}, 'laptop', 'ssh-ed25519 AAAA', 'ssh-ed25519', 256, 'SHA256:x')`;
    const invitation = await invite(member, org.id);
    const trail = () => h.sql`select * from audit_log where user_id = ${member.id} order by id`;
    const before = await trail();

    const { status, body } = await leave(member, { userId: member.id });
    expect([status, body]).toEqual([200, true]);
    expect(await exists(member.id)).toBe(false);
    for (const table of ['sessions', 'accounts', 'api_keys', 'ssh_keys', 'memberships']) {
      expect(await h.sql`select 1 from ${h.sql(table)} where user_id = ${member.id}`, table).toHaveLength(0);
    }
    expect((await member.get('user.session')).status).toBe(401);
    expect((await key.get('user.session')).status).toBe(401);
    const open = await org.owner.get('organization.allInvitations', { organizationId: org.id });
    expect(open.body.map(({ id }: { id: string }) => id)).not.toContain(invitation.id);
    const after = await trail();
    expect(after.slice(0, -3)).toEqual(before); // the organization is told in two more
    expect(after.at(-1)).toMatchObject({
      organizationId: null,
      ...{ action: 'delete', resourceType: 'user', resourceId: member.id, userEmail: member.email },
      before: { email: member.email, memberships: [{ organizationId: org.id, role: 'admin' }] },
    });
    const again = { email: member.email, password: PASSWORD, name: 'Again' };
    expect((await h.anonymous.post('auth/sign-up/email', again)).status).toBe(200);
  });

  test('needs the current password, which cannot be guessed for long', async () => {
    const user = await person();
    const guesses = times(8, (n) => `Wrong-horse-${n}`);
    for (const currentPassword of [undefined, '', ...guesses]) {
      const { status, body } = await leave(user, { currentPassword });
      const reason = currentPassword === undefined ? 'password_required' : 'wrong_password';
      expect([status, body.data.reason]).toEqual([400, reason]);
      expect(body.issues).toMatchObject([{ path: ['currentPassword'] }]);
    }
    const { status, body, headers } = await leave(user);
    expect([status, body.data.reason]).toEqual([429, 'too_many_attempts']);
    expect(Number(headers.get('retry-after'))).toBeGreaterThan(600);
    expect(await exists(user.id)).toBe(true);
  });

  test('is told to have gone, whoever deleted it, and nobody is told of one that stays', async () => {
    const subjects = async ({ email }: TestUser) => (await mailsTo(h, email)).map(({ subject }) => subject);
    const [own, others, kept] = [await person(), await person(), await h.user()];
    expect((await leave(own)).status).toBe(200);
    expect((await remove(root, { userId: others.id })).status).toBe(200);
    expect((await leave(kept)).status).toBe(412);
    expect((await subjects(own)).at(-1)).toBe('Your account was deleted');
    expect((await subjects(others)).at(-1)).toBe('Your account was deleted');
    expect(await subjects(kept)).not.toContain('Your account was deleted');
  });

  test('goes by an unlimited key of the whole account, not by a limited one', async () => {
    const user = await h.user();
    const [whole, bound] = [await h.key(user, { scope: 'user' }), await h.key(user)];
    const refused = await leave(bound, { deleteOrganizations: true });
    expect([refused.status, refused.body.data.reason]).toEqual([403, 'key_is_limited']);
    expect((await leave(whole)).status).toBe(412);
    expect((await leave(whole, { deleteOrganizations: true })).status).toBe(200);
  });
});

describe('the organizations that go on without an account', () => {
  const trailOf = (organizationId: string, userId: string) => h.sql`
    select action, resource_type, resource_id, resource_name, user_role, before from audit_log
    where organization_id = ${organizationId} and user_id = ${userId} order by seq desc`;
  const toldTo = async (organizationId: string) =>
    (
      await h.sql<{ event: string }[]>`
        select event from webhook_deliveries where organization_id = ${organizationId} order by id desc`
    ).map(({ event }) => event);

  test.each([
    ['its holder', 'leave', 'member.left'],
    ['an administrator', 'delete', 'member.deleted'],
  ])('are told by the trail and by webhooks when %s deletes it', async (by, action, event) => {
    const [one, other] = [await h.organization(), await h.organization()];
    const user = await one.join('admin');
    await h.sql`insert into memberships (id, organization_id, user_id, role)
      values (${newId()}, ${other.id}, ${user.id}, 'member')`;
    const { body: owned } = await user.post('organization.create', { name: 'Own' });
    const { id, email } = await invite(user, one.id);
    const closed = await invite(user, one.id);
    await user.post('organization.removeInvitation', { invitationId: closed.id });
    const [answered, late] = [await invite(user, one.id), await invite(user, one.id)];
    await h.sql`update invitations set status = 'rejected' where id = ${answered.id}`;
    await h.sql`update invitations set expires_at = now() where id = ${late.id}`;
    for (const organizationId of [one.id, other.id]) await newWebhookOf(h, organizationId);

    const reply =
      by === 'its holder'
        ? await leave(user, { deleteOrganizations: true })
        : await remove(root, { userId: user.id, deleteOrganizations: true });
    expect(reply.status).toBe(200);
    const actor = by === 'its holder' ? user : root;
    const [fell, left] = await trailOf(one.id, actor.id);
    expect(left).toEqual({
      ...{ action, resourceType: 'member', resourceId: user.memberId, resourceName: user.email },
      userRole: actor === user ? 'admin' : 'rootAdmin',
      before: { userId: user.id, role: 'admin' },
    });
    expect(fell).toMatchObject({
      ...{ action: 'deleteMany', resourceType: 'invitation', resourceId: one.id },
      before: { invitations: [{ id, email, role: 'member' }] },
    });
    expect(await toldTo(one.id)).toEqual(['invitation.deletedMany', event]);
    expect(await trailOf(other.id, actor.id)).toMatchObject([
      { action, before: { userId: user.id, role: 'member' } },
    ]);
    expect(await toldTo(other.id)).toEqual([event]);
    expect(await trailOf(owned.id, actor.id)).toMatchObject([
      { action: 'delete', resourceType: 'organization' },
      ...(actor === user ? [{ action: 'create' }] : []),
    ]);
    expect((await one.owner.get('auditLog.verify', { organizationId: one.id })).body.valid).toBe(true);
    const [payload] = await h.sql<{ body: string }[]>`
      select body from webhook_deliveries where organization_id = ${one.id} and event = 'invitation.deletedMany'`;
    payloadSchema('invitation.deletedMany').parse(JSON.parse(payload?.body ?? ''));
  });
});

describe('an account that owns organizations', () => {
  test('stays, and is told which', async () => {
    const user = await h.user();
    await user.post('organization.create', { name: 'Second' });
    const { status, body } = await leave(user);
    expect([status, body.data.reason]).toEqual([412, 'owns_organizations']);
    const { body: owned } = await user.get('organization.all');
    expect(owned).toHaveLength(2);
    for (const { name, id } of owned) expect(body.message).toContain(`${name} (${id})`);
    expect(await exists(user.id)).toBe(true);
  });

  test('is told the first twenty and how many more', async () => {
    const user = await person();
    for (const n of times(23, (index) => index)) {
      await user.post('organization.create', { name: `Number ${n}.` });
    }
    const { body } = await leave(user);
    expect(body.message).toContain('owns 23 organizations');
    expect(body.message).toContain('and 3 more');
    expect(body.message.match(/Number \d+\./g)).toHaveLength(20);
  });

  test('takes those along that nobody else belongs to, each with its row in the trail', async () => {
    const user = await h.user();
    await user.post('organization.create', { name: 'Second' });
    const { body: owned } = await user.get('organization.all');
    expect((await leave(user, { deleteOrganizations: true })).status).toBe(200);
    const ids = owned.map(({ id }: { id: string }) => id);
    expect(await h.sql`select 1 from organizations where id in ${h.sql(ids)}`).toHaveLength(0);
    const rows = await h.sql`select resource_type from audit_log
      where user_id = ${user.id} and action = 'delete' order by id`;
    expect(rows.map(({ resourceType }) => resourceType)).toEqual(['organization', 'organization', 'user']);
  });

  test('takes none along while one has other members', async () => {
    const org = await h.organization();
    const member = await org.join('member');
    const { status, body } = await leave(org.owner, { deleteOrganizations: true });
    expect([status, body.data.reason]).toEqual([412, 'owns_organizations']);
    expect(body.message).toContain('owns 1 organization:');
    expect(body.message).toContain(org.id);
    expect((await org.owner.get('organization.all')).body).toHaveLength(2);
    expect((await member.get('organization.one', { organizationId: org.id })).status).toBe(200);
  });

  test('is not left without its organizations when the trail cannot be written', async () => {
    const user = await h.user();
    await h.sql`create or replace function refuse_user() returns trigger language plpgsql as $$
      begin if new.resource_type = 'user' then raise 'no'; end if; return new; end $$`;
    await h.sql`create trigger refuse_user before insert on audit_log
      for each row execute function refuse_user()`;
    try {
      expect((await leave(user, { deleteOrganizations: true })).status).toBe(500);
    } finally {
      await h.sql`drop trigger refuse_user on audit_log`;
    }
    expect((await user.get('organization.all')).body).toHaveLength(1);
  });
});

describe('platform administrators', () => {
  test.each<[PlatformRole, PlatformRole]>([
    ['rootAdmin', 'admin'],
    ['rootAdmin', 'user'],
    ['admin', 'staff'],
    ['admin', 'user'],
  ])('as %s delete the account of a %s', async (actor, target) => {
    const [by, whom] = [actor === 'rootAdmin' ? root : await person(actor), await person(target)];
    expect((await remove(by, { userId: whom.id })).status).toBe(200);
    expect(await exists(whom.id)).toBe(false);
    expect((await whom.get('user.session')).status).toBe(401);
  });

  test.each<[PlatformRole, PlatformRole, number, string]>([
    ['admin', 'admin', 403, 'rank_too_low'],
    ['admin', 'rootAdmin', 403, 'rank_too_low'],
    ['staff', 'user', 404, 'user_not_found'],
    ['user', 'user', 404, 'user_not_found'],
  ])('as %s do not delete that of a %s', async (actor, target, status, reason) => {
    const [by, whom] = [await person(actor), target === 'rootAdmin' ? root : await person(target)];
    const reply = await remove(by, { userId: whom.id });
    expect([reply.status, reply.body.data.reason]).toEqual([status, reason]);
    expect(await exists(whom.id)).toBe(true);
  });

  test('keep to the same rule for organizations', async () => {
    const org = await h.organization();
    await org.join('member');
    for (const deleteOrganizations of [false, true]) {
      const { status, body } = await remove(root, { userId: org.owner.id, deleteOrganizations });
      expect([status, body.data.reason]).toEqual([412, 'owns_organizations']);
    }
    const user = await h.user();
    expect((await remove(root, { userId: user.id, deleteOrganizations: true })).status).toBe(200);
  });

  test('delete the account also of a fellow member', async () => {
    const organizationId = (await root.get('organization.active')).body.id;
    const member = await person();
    await h.sql`insert into memberships (id, organization_id, user_id, role)
      values (${newId()}, ${organizationId}, ${member.id}, 'member')`;
    expect((await remove(root, { userId: member.id })).status).toBe(200);
    expect(await exists(member.id)).toBe(false);
  });

  test('find nobody under an unknown id', async () => {
    const missing = await remove(root, { userId: newId() });
    const strange = await remove(await person(), { userId: root.id });
    expect([missing.status, missing.text]).toEqual([404, strange.text]);
  });

  test('may leave, except for the last rootAdmin', async () => {
    const last = await leave(root, { deleteOrganizations: true });
    expect([last.status, last.body.data.reason]).toEqual([412, 'last_root_admin']);
    const second = await person('rootAdmin');
    expect((await leave(second)).status).toBe(200);
  });
});
