import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { newId } from '../../src/kernel/ids.ts';
import { createHarness, type Harness, type Reply } from '../support/harness.ts';
import { invite, newRoleOf, tokenFor } from './stage.ts';
import { memberIdOf, newTeam, type Person, rolesOf, type Team } from './team.ts';

/* How a membership ends, by somebody else or by oneself, and what ends with it. */

let h: Harness;
beforeAll(async () => {
  h = await createHarness();
  await h.user(); // the first account is the rootAdmin
});
afterAll(() => h[Symbol.asyncDispose]());

const remove = (team: Team, actor: Person, target: Person) =>
  team[actor].post('organization.removeMember', { memberId: team[target].memberId });
const leave = (team: Team, who: Person) => team[who].post('organization.leave', { organizationId: team.id });
const outcome = ({ status, body }: Reply) => [status, body.data?.reason];

describe('removeMember', () => {
  test.each<[Person, Person]>([
    ['owner', 'admin'],
    ['owner', 'member'],
    ['admin', 'member'],
  ])('%s removes %s', async (actor, target) => {
    const team = await newTeam(h);
    const { status, body } = await remove(team, actor, target);
    expect([status, body]).toEqual([200, true]);
    expect(Object.keys(await rolesOf(h, team.id))).not.toContain(team[target].id);
    expect((await team[target].get('organization.all')).body).toHaveLength(1); // the account stays
  });

  test.each<[Person, Person, string]>([
    ['owner', 'owner', 'own_membership'],
    ['admin', 'admin', 'own_membership'],
    ['admin', 'owner', 'rank_too_low'],
    ['admin', 'otherAdmin', 'rank_too_low'],
    ['member', 'otherMember', 'permission_missing'],
    ['member', 'member', 'permission_missing'],
  ])('%s does not remove %s', async (actor, target, reason) => {
    const team = await newTeam(h);
    expect(outcome(await remove(team, actor, target))).toEqual([403, reason]);
    expect(Object.keys(await rolesOf(h, team.id))).toHaveLength(5);
  });

  test('takes the account instead, in the named organization or the active one', async () => {
    const { id, owner, member, otherMember } = await newTeam(h);
    const named = { organizationId: id, userId: member.id };
    expect((await owner.post('organization.removeMember', named)).status).toBe(200);
    expect((await owner.post('organization.removeMember', { userId: otherMember.id })).status).toBe(200);
    expect(Object.keys(await rolesOf(h, id))).toHaveLength(3);
  });

  test('takes both only where they are the same member, and not none', async () => {
    const { owner, member, otherMember } = await newTeam(h);
    const call = (input: unknown) => owner.post('organization.removeMember', input);
    const neither = await call({});
    expect([neither.status, neither.body.issues[0].path]).toEqual([400, ['memberId']]);
    expect((await call({ memberId: member.memberId, userId: otherMember.id })).status).toBe(404);
    expect((await call({ memberId: member.memberId, userId: member.id })).status).toBe(200);
  });

  test('finds no member of another organization', async () => {
    const [here, there] = [await newTeam(h), await newTeam(h)];
    for (const input of [
      { organizationId: here.id, memberId: there.member.memberId },
      { organizationId: here.id, userId: there.member.id },
      { memberId: there.member.memberId },
      { userId: there.member.id },
    ]) {
      const missing = Object.fromEntries(
        Object.entries(input).map(([name, id]) => [name, id === here.id ? id : newId()]),
      );
      const foreign = await here.owner.post('organization.removeMember', input);
      expect(foreign.status).toBe(404);
      expect(foreign.text).toBe((await here.owner.post('organization.removeMember', missing)).text);
    }
    expect(Object.keys(await rolesOf(h, there.id))).toHaveLength(5);
  });
});

describe('leave', () => {
  test.each<Person>(['admin', 'member'])('ends the membership of %s', async (who) => {
    const team = await newTeam(h);
    const { status, body } = await leave(team, who);
    expect([status, body]).toEqual([200, { success: true }]);
    expect((await team[who].get('organization.one', { organizationId: team.id })).status).toBe(404);
    const { body: entries } = await team.owner.get('auditLog.all', { organizationId: team.id, limit: 1 });
    expect(entries).toMatchObject([{ action: 'leave', resourceType: 'member', userId: team[who].id }]);
  });

  test('needs no right in the organization, by a session or a whole key, as little as the choice of a default', async () => {
    const { id: organizationId, join } = await newTeam(h);
    await newRoleOf(h, organizationId, 'records', ['dnsRecord:read']);
    const [ada, bob] = [await join('records'), await join('records')];
    for (const caller of [ada, await h.key(bob, { scope: 'user' })]) {
      const chosen = await caller.post('organization.setDefault', { organizationId });
      expect([chosen.status, chosen.body]).toEqual([200, { success: true }]);
      const left = await caller.post('organization.leave', { organizationId });
      expect([left.status, left.body]).toEqual([200, { success: true }]);
      expect(outcome(await caller.post('organization.leave', { organizationId }))).toEqual([
        404,
        'organization_not_found',
      ]);
    }
  });

  test('is not for the owner, and not for limited keys', async () => {
    const team = await newTeam(h);
    expect(outcome(await leave(team, 'owner'))).toEqual([412, 'owner_cannot_leave']);
    const key = await h.key(team.member, { organizationId: team.id });
    const reply = await key.post('organization.leave', { organizationId: team.id });
    expect(outcome(reply)).toEqual([403, 'key_is_limited']);
    expect(Object.keys(await rolesOf(h, team.id))).toHaveLength(5);
  });
});

describe.each([
  ['removal', (team: Team) => remove(team, 'owner', 'admin')],
  ['leaving', (team: Team) => leave(team, 'admin')],
])('after %s', (_, end) => {
  test('keys of the organization are dead, and other keys and sessions mean another one', async () => {
    const team = await newTeam(h);
    const { id, admin } = team;
    const bound = await h.key(admin, { organizationId: id });
    const whole = await h.key(admin, { scope: 'user', organizationId: id });
    const before = [admin, whole].map((caller) => caller.get('organization.active'));
    for (const { body } of await Promise.all(before)) expect(body.id).toBe(id);
    expect((await end(team)).status).toBe(200);
    expect((await bound.get('user.session')).status).toBe(401);
    for (const caller of [admin, whole]) {
      const { body } = await caller.get('organization.active');
      expect([body.id === id, body.role]).toEqual([false, 'owner']);
    }
  });

  test('what he was invited with, and whom he has invited, opens nothing', async () => {
    const team = await newTeam(h);
    const { id, owner } = team;
    const guest = await h.user();
    const { id: invitationId } = await invite(owner, id, guest.email, 'admin');
    const token = await tokenFor(h, guest.email);
    await guest.post('invitation.accept', { token });
    const admin = { ...guest, memberId: (await memberIdOf(h, id, guest.id)) ?? '' };
    const { email } = await invite(admin, id);
    const sent = await tokenFor(h, email);
    expect((await end({ ...team, admin })).status).toBe(200);
    expect((await admin.post('invitation.accept', { token })).status).toBe(404);
    expect((await admin.post('invitation.accept', { invitationId })).status).toBe(404);
    expect((await h.anonymous.get('invitation.preview', { token: sent })).status).toBe(404);
  });

  test('another organization is the default one: an active one, if there is any', async () => {
    const team = await newTeam(h);
    const { id, admin } = team;
    await admin.post('organization.setDefault', { organizationId: id });
    const { body: second } = await admin.post('organization.create', { name: 'Second' });
    await h.sql`update organizations set active = false where owner_id = ${admin.id} and id <> ${second.id}`;
    expect((await end(team)).status).toBe(200);
    const defaults = await h.sql`
      select organization_id from memberships where user_id = ${admin.id} and is_default`;
    expect([...defaults]).toEqual([{ organizationId: second.id }]);
  });

  test('the default one stays where it was another', async () => {
    const team = await newTeam(h);
    const defaultsOf = () => h.sql`
      select organization_id from memberships where user_id = ${team.admin.id} and is_default`;
    const before = await defaultsOf();
    expect(before).toHaveLength(1);
    await end(team);
    expect(await defaultsOf()).toEqual(before);
  });
});
