import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findPrincipal } from '../../src/domain/account/index.ts';
import {
  type Caller,
  createHarness,
  type Harness,
  httpCaller,
  type Reply,
  type TestUser,
} from '../support/harness.ts';
import { newRoleOf, untilBlocked } from './stage.ts';

/* Which organization a call means that names none: the one that its session or key chose, or the default one. */

let h: Harness;
beforeAll(async () => {
  h = await createHarness();
});
afterAll(() => h[Symbol.asyncDispose]());

const personalOf = async (user: TestUser): Promise<string> => {
  const { body } = await user.get('organization.all');
  return body.find(({ ownerId }: { ownerId: string }) => ownerId === user.id).id;
};
const create = async (user: TestUser): Promise<string> =>
  (await user.post('organization.create', { name: 'Acme' })).body.id;
const activeOf = async (caller: Caller): Promise<string | null> =>
  (await caller.get('organization.active')).body?.id ?? null;
const anotherSession = async (user: TestUser): Promise<Caller> =>
  httpCaller(h.baseUrl, { cookie: await h.signIn(user.id) });

async function someoneWithThree() {
  const ada = await h.user();
  return { ada, first: await personalOf(ada), second: await create(ada), third: await create(ada) };
}

describe('the default', () => {
  test('is the personal organization, until another one is chosen', async () => {
    const { ada, first, second } = await someoneWithThree();
    expect(await activeOf(ada)).toBe(first);
    const { status, body } = await ada.post('organization.setDefault', { organizationId: second });
    expect([status, body]).toEqual([200, { success: true }]);
    expect(await activeOf(await anotherSession(ada))).toBe(second);

    const defaults = (await ada.get('organization.all')).body.flatMap(
      (row: { id: string; members: { isDefault: boolean }[] }) =>
        row.members.some(({ isDefault }) => isDefault) ? [row.id] : [],
    );
    expect(defaults).toEqual([second]);
  });

  test('is meant by every call that names no organization', async () => {
    const { ada, second } = await someoneWithThree();
    await ada.post('organization.setDefault', { organizationId: second });
    const { body } = await ada.post('organization.inviteMember', { email: 'guest@example.org' });
    expect(body.organizationId).toBe(second);
    const invitations = (await ada.get('organization.allInvitations')).body;
    expect(invitations).toMatchObject([{ email: 'guest@example.org' }]);
    expect((await ada.get('user.get')).body.organizationId).toBe(second);
    expect(
      (await ada.get('auditLog.all', { action: 'create', resourceType: 'invitation' })).body,
    ).toHaveLength(1);
    expect((await ada.post('apiKey.create', { name: 'a' })).body.organizationId).toBe(second);
  });

  test('that is gone leaves the oldest one', async () => {
    const { ada, first, second, third } = await someoneWithThree();
    await ada.post('organization.setDefault', { organizationId: third });
    await ada.post('organization.delete', { organizationId: third });
    expect(await activeOf(ada)).toBe(first);
    await create(ada); // and a new one does not take its place
    expect(await activeOf(ada)).toBe(first);
    await ada.post('organization.delete', { organizationId: first });
    expect(await activeOf(ada)).toBe(second);
  });

  test('that somebody else deletes leaves the oldest active one, for sessions, keys and the operator', async () => {
    const { ada, first, second } = await someoneWithThree();
    const { id: organizationId, owner } = await h.organization();
    const { body: invitation } = await owner.post('organization.inviteMember', {
      organizationId,
      email: ada.email,
    });
    await ada.post('invitation.accept', { invitationId: invitation.id });
    await ada.post('organization.setDefault', { organizationId });
    const key = await h.key(ada, { scope: 'user', organizationId });
    await ada.post('organization.update', { organizationId: first, active: false });
    await owner.post('organization.delete', { organizationId });

    expect([await activeOf(ada), await activeOf(key)]).toEqual([second, second]);
    expect((await ada.post('organization.inviteMember', { email: 'guest@example.org' })).status).toBe(200);
    expect((await findPrincipal(h.app.deps, ada.email)).active?.organizationId).toBe(second);
  });

  test('of somebody who belongs nowhere is none', async () => {
    const ada = await h.user();
    await h.sql`delete from organizations where owner_id = ${ada.id}`;
    const active = await ada.get('organization.active');
    expect([active.status, active.body]).toEqual([200, null]);
    expect((await ada.get('user.session')).body).toMatchObject({
      user: { id: ada.id },
      session: { activeOrganizationId: null },
    });
    expect((await ada.get('organization.allInvitations')).status).toBe(404);
    const id = await create(ada);
    expect(await activeOf(ada)).toBe(id);
  });

  test('of somebody who joins his first one is that one', async () => {
    const ada = await h.user();
    await h.sql`delete from organizations where owner_id = ${ada.id}`;
    const { id: organizationId, owner } = await h.organization();
    const { body } = await owner.post('organization.inviteMember', { organizationId, email: ada.email });
    const joined = await ada.post('invitation.accept', { invitationId: body.id });
    expect(joined.body).toMatchObject({ organizationId, isDefault: true });
    expect(await activeOf(ada)).toBe(organizationId);
  });
});

describe('the choice of a session', () => {
  test('holds for that session alone, before the default', async () => {
    const { ada, first, second, third } = await someoneWithThree();
    const other = await anotherSession(ada);
    const chosen = await ada.post('organization.setActive', { organizationId: third });
    expect(chosen.body).toMatchObject({ id: third, role: 'owner' });
    expect([await activeOf(ada), await activeOf(other)]).toEqual([third, first]);
    await other.post('organization.setDefault', { organizationId: second });
    expect([await activeOf(ada), await activeOf(other)]).toEqual([third, second]);
    expect((await ada.get('user.session')).body.session.activeOrganizationId).toBe(third);
  });

  test('falls back to the default when the organization is deleted', async () => {
    const { ada, second, third } = await someoneWithThree();
    await ada.post('organization.setDefault', { organizationId: second });
    await ada.post('organization.setActive', { organizationId: third });
    await ada.post('organization.delete', { organizationId: third });
    expect(await activeOf(ada)).toBe(second);
  });

  test('falls back to the default when the membership ends, and tells nothing more', async () => {
    const { id: organizationId, join } = await h.organization();
    const ada = await join('admin');
    const first = await personalOf(ada);
    expect(await activeOf(ada)).toBe(organizationId);
    await h.sql`delete from memberships where id = ${ada.memberId}`;
    expect(await activeOf(ada)).toBe(first);
    expect((await ada.get('organization.allInvitations')).body).toEqual([]);
    expect((await ada.get('organization.allInvitations', { organizationId })).status).toBe(404);
    expect((await ada.post('organization.setActive', { organizationId })).status).toBe(404);
    expect((await ada.post('organization.setDefault', { organizationId })).status).toBe(404);
  });

  test('is not made by somebody whose membership is just ending', async () => {
    const { id: organizationId, join } = await h.organization();
    const ada = await join('member');
    const first = await personalOf(ada);
    await ada.post('organization.setActive', { organizationId: first });
    let choosing: Promise<Reply> | undefined;
    await h.sql.begin(async (tx) => {
      await tx`delete from memberships where id = ${ada.memberId}`;
      choosing = ada.post('organization.setActive', { organizationId });
      await Promise.race([choosing, untilBlocked(h, 1)]);
    });
    expect((await choosing)?.status).toBe(404);
    const sessions = await h.sql`select active_organization_id from sessions where user_id = ${ada.id}`;
    expect(sessions).toEqual([{ activeOrganizationId: first }]);
  });

  test('is free to members whose role may not read more, and not to limited keys of theirs', async () => {
    const { id: organizationId, join } = await h.organization();
    const ada = await join('member');
    const [bound, reading] = [
      await h.key(ada, { organizationId }),
      await h.key(ada, { organizationId, scope: 'user', permissions: ['organization:read'] }),
    ];
    const role = await newRoleOf(h, organizationId, 'guest');
    await h.sql`update memberships set role = ${role} where id = ${ada.memberId}`;
    const choose = (caller: Caller) => caller.post('organization.setActive', { organizationId });
    expect((await choose(ada)).status).toBe(200);
    for (const key of [bound, reading]) {
      const { status, body } = await choose(key);
      expect([status, body.data?.reason]).toEqual([403, 'permission_missing']);
    }
  });
});

describe('the choice of a key', () => {
  test('of the whole user is its own, and falls back as well', async () => {
    const { ada, first, second, third } = await someoneWithThree();
    const key = await h.key(ada, { scope: 'user', organizationId: second });
    const other = await h.key(ada, { scope: 'user', organizationId: second });
    expect([await activeOf(key), await activeOf(ada)]).toEqual([second, first]);
    await key.post('organization.setActive', { organizationId: third });
    expect([await activeOf(key), await activeOf(other), await activeOf(ada)]).toEqual([third, second, first]);
    await ada.post('organization.delete', { organizationId: third });
    expect(await activeOf(key)).toBe(first);
  });

  test('bound to an organization is that one for good', async () => {
    const { ada, second, third } = await someoneWithThree();
    const key = await h.key(ada, { organizationId: second });
    expect((await key.post('organization.setActive', { organizationId: third })).status).toBe(404);
    expect((await key.post('organization.setActive', { organizationId: second })).status).toBe(200);
    expect(await activeOf(key)).toBe(second);
  });
});
