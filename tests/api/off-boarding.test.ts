import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { newId } from '../../src/kernel/ids.ts';
import { createHarness, type Harness, type TestUser } from '../support/harness.ts';
import { invite, makeActive, tokenFor } from './stage.ts';

/* Owners and admins remove people from their organization. The account is not theirs to delete. */

let h: Harness;
beforeAll(async () => {
  h = await createHarness();
  await h.user(); // the first account is the rootAdmin
});
afterAll(() => h[Symbol.asyncDispose]());

/** An organization that is the active one of everybody in it. */
async function team() {
  const { id, owner, join } = await h.organization();
  await makeActive(h, owner, id);
  const [admin, member] = [await join('admin'), await join('member')];
  return { id, owner, admin, otherAdmin: await join('admin'), member, otherMember: await join('member') };
}
type Person = Exclude<keyof Awaited<ReturnType<typeof team>>, 'id'>;

const remove = (caller: { post: TestUser['post'] }, userId: string) => caller.post('user.remove', { userId });
const isMember = async (organizationId: string, userId: string): Promise<boolean> =>
  (await h.sql`select 1 from memberships where organization_id = ${organizationId} and user_id = ${userId}`)
    .length === 1;

test.each<[Person, Person]>([
  ['owner', 'admin'],
  ['owner', 'member'],
  ['admin', 'member'],
])('%s removes %s from the organization, not the account', async (actor, target) => {
  const people = await team();
  const whom = people[target];
  const { status, body } = await remove(people[actor], whom.id);
  expect([status, body]).toEqual([200, true]);
  expect(await isMember(people.id, whom.id)).toBe(false);
  expect((await whom.get('organization.all')).body).toHaveLength(1); // the personal one
  const { body: entries } = await people.owner.get('auditLog.all', { organizationId: people.id, limit: 1 });
  expect(entries).toMatchObject([
    {
      ...{ action: 'delete', resourceType: 'member', resourceName: whom.email },
      ...{ userId: people[actor].id, before: { userId: whom.id } },
    },
  ]);
});

test.each<[Person, Person, string]>([
  ['admin', 'owner', 'rank_too_low'],
  ['admin', 'otherAdmin', 'rank_too_low'],
  ['member', 'otherMember', 'permission_missing'],
  ['member', 'owner', 'permission_missing'],
])('%s does not remove %s', async (actor, target, reason) => {
  const people = await team();
  const { status, body } = await remove(people[actor], people[target].id);
  expect([status, body.data.reason]).toEqual([403, reason]);
  expect(await isMember(people.id, people[target].id)).toBe(true);
});

test('a member of another organization is not found, whatever the right at home', async () => {
  const [here, there] = [await team(), await team()];
  const foreign = await remove(here.owner, there.member.id);
  const missing = await remove(here.owner, newId());
  const asMember = await remove(here.member, newId());
  expect([foreign.status, foreign.text, asMember.text]).toEqual([404, missing.text, missing.text]);
  expect(await isMember(there.id, there.member.id)).toBe(true);
});

describe('who is removed', () => {
  test('loses the keys of the organization, and other keys and sessions mean another one', async () => {
    const { id, owner, member } = await team();
    const bound = await h.key(member, { organizationId: id });
    const whole = await h.key(member, { scope: 'user', organizationId: id });
    await remove(owner, member.id);
    expect((await bound.get('user.session')).status).toBe(401);
    for (const caller of [whole, member]) {
      const { body } = await caller.get('user.session');
      expect(body.session.activeOrganizationId).not.toBe(id);
      expect((await caller.get('organization.one', { organizationId: id })).status).toBe(404);
    }
  });

  test('is not back in it by joining again', async () => {
    const { id, owner, member } = await team();
    const whole = await h.key(member, { scope: 'user', organizationId: id });
    await remove(owner, member.id);
    const { id: invitationId } = await invite(owner, id, member.email);
    await member.post('invitation.accept', { invitationId });
    for (const caller of [whole, member]) {
      expect((await caller.get('user.session')).body.session.activeOrganizationId).not.toBe(id);
    }
  });

  test('leaves no invitation that anybody could accept', async () => {
    const { id, owner, admin } = await team();
    const { email } = await invite(admin, id);
    const token = await tokenFor(h, email);
    await remove(owner, admin.id);
    expect((await h.anonymous.get('invitation.preview', { token })).status).toBe(404);
  });
});

test('nobody is removed from an organization that is switched off', async () => {
  const { id, owner, member } = await team();
  await h.sql`update organizations set active = false where id = ${id}`;
  const { status, body } = await remove(owner, member.id);
  expect([status, body.data.reason]).toEqual([412, 'organization_inactive']);
});
