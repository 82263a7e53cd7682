import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { newId } from '../../src/kernel/ids.ts';
import { type Caller, createHarness, type Harness, PASSWORD, type Reply } from '../support/harness.ts';
import { invite, tokenFor } from './stage.ts';
import { newTeam, rolesOf, type Team } from './team.ts';

/* The owner makes another member the owner. There is exactly one before, after and in between. */

const MAX_ORGANIZATIONS = 3;

let h: Harness;
beforeAll(async () => {
  h = await createHarness({ MAX_ORGANIZATIONS_PER_USER: String(MAX_ORGANIZATIONS) });
  await h.user(); // the first account is the rootAdmin
});
afterAll(() => h[Symbol.asyncDispose]());

const transfer = (caller: Caller, organizationId: string, memberId: string, currentPassword?: string) =>
  caller.post('organization.transferOwnership', {
    organizationId,
    memberId,
    currentPassword: currentPassword ?? PASSWORD,
  });
const outcome = ({ status, body }: Reply) => [status, body.data?.reason];

async function expectUnchanged({ id, owner }: Team) {
  expect((await rolesOf(h, id))[owner.id]).toBe('owner');
  expect((await owner.get('organization.one', { organizationId: id })).body.ownerId).toBe(owner.id);
}

test.each(['admin', 'member'] as const)('%s becomes the owner, and the owner an admin', async (who) => {
  const team = await newTeam(h);
  const { id, owner } = team;
  const heir = team[who];
  const { status, body } = await transfer(owner, id, heir.memberId);
  expect(status).toBe(200);
  expect(body).toMatchObject({ id, ownerId: heir.id, role: 'admin' });
  expect(await rolesOf(h, id)).toMatchObject({ [owner.id]: 'admin', [heir.id]: 'owner' });
  const one = await heir.get('organization.one', { organizationId: id });
  expect(one.body).toMatchObject({ ownerId: heir.id, role: 'owner' });
  const { body: entries } = await heir.get('auditLog.all', { organizationId: id, limit: 1 });
  expect(entries).toMatchObject([
    {
      action: 'transferOwnership',
      userRole: 'owner',
      before: { ownerId: owner.id },
      after: { ownerId: heir.id },
    },
  ]);
});

test('what only an owner may do goes over with it', async () => {
  const { id, owner, admin } = await newTeam(h);
  const key = await h.key(owner, { organizationId: id });
  const { email } = await invite(owner, id);
  await transfer(owner, id, admin.memberId);
  for (const caller of [owner, key]) {
    expect((await caller.post('organization.delete', { organizationId: id })).status).toBe(403);
  }
  expect(outcome(await transfer(owner, id, owner.memberId))).toEqual([403, 'permission_missing']);
  // An admin may still invite members: what he has sent holds.
  const token = await tokenFor(h, email);
  expect((await h.anonymous.get('invitation.preview', { token })).status).toBe(200);
  expect((await admin.post('organization.removeMember', { memberId: owner.memberId })).status).toBe(200);
});

test('it can come back', async () => {
  const { id, owner, admin } = await newTeam(h);
  expect((await transfer(owner, id, admin.memberId)).status).toBe(200);
  expect((await transfer(admin, id, owner.memberId)).status).toBe(200);
  expect(await rolesOf(h, id)).toMatchObject({ [owner.id]: 'owner', [admin.id]: 'admin' });
});

describe('is refused', () => {
  test('for everybody but the owner', async () => {
    const team = await newTeam(h);
    const { id, admin, member } = team;
    for (const caller of [admin, member]) {
      expect(outcome(await transfer(caller, id, admin.memberId))).toEqual([403, 'permission_missing']);
    }
    expect((await transfer(await h.user(), id, admin.memberId)).status).toBe(404);
    await expectUnchanged(team);
  });

  test('to oneself, and to who is no member', async () => {
    const [team, other] = [await newTeam(h), await newTeam(h)];
    const { id, owner } = team;
    expect(outcome(await transfer(owner, id, owner.memberId))).toEqual([403, 'own_membership']);
    const foreign = await transfer(owner, id, other.admin.memberId);
    const missing = await transfer(owner, id, newId());
    expect([foreign.status, foreign.text]).toEqual([404, missing.text]);
    await expectUnchanged(team);
  });

  test('without the password, which cannot be tried for ever', async () => {
    const team = await newTeam(h);
    const { id, owner, admin } = team;
    const none = await owner.post('organization.transferOwnership', {
      organizationId: id,
      memberId: admin.memberId,
    });
    expect([none.status, none.body.issues[0].path]).toEqual([400, ['currentPassword']]);
    const key = await h.key(owner, { scope: 'user' });
    for (const caller of [owner, key]) {
      expect(outcome(await transfer(caller, id, admin.memberId, 'Wrong-horse-1'))).toEqual([
        400,
        'wrong_password',
      ]);
    }
    for (let attempt = 0; attempt < 8; attempt += 1) await transfer(owner, id, admin.memberId, 'wrong');
    expect(outcome(await transfer(owner, id, admin.memberId))).toEqual([429, 'too_many_attempts']);
    await expectUnchanged(team);
  });

  test('to an address that is not proved, and to a suspended account', async () => {
    const team = await newTeam(h);
    const { id, owner, admin, member } = team;
    await h.sql`update users set email_verified = false where id = ${admin.id}`;
    await h.sql`update users set suspended_at = now() where id = ${member.id}`;
    expect(outcome(await transfer(owner, id, admin.memberId))).toEqual([412, 'new_owner_unverified']);
    expect(outcome(await transfer(owner, id, member.memberId))).toEqual([412, 'new_owner_suspended']);
    await expectUnchanged(team);
  });

  test('beyond what the new owner may own, except for platform administrators', async () => {
    const team = await newTeam(h);
    const { id, owner, admin } = team;
    for (let owned = 1; owned < MAX_ORGANIZATIONS; owned += 1) {
      expect((await admin.post('organization.create', { name: 'More' })).status).toBe(200);
    }
    expect(outcome(await transfer(owner, id, admin.memberId))).toEqual([412, 'too_many_organizations']);
    await expectUnchanged(team);
    await h.sql`update users set role = 'admin' where id = ${admin.id}`;
    expect((await transfer(owner, id, admin.memberId)).status).toBe(200);
  });

  test('with a limited key, and of an organization that is switched off', async () => {
    const team = await newTeam(h);
    const { id, owner, admin } = team;
    const key = await h.key(owner, { organizationId: id });
    expect(outcome(await transfer(key, id, admin.memberId))).toEqual([403, 'key_is_limited']);
    await h.sql`update organizations set active = false where id = ${id}`;
    expect(outcome(await transfer(owner, id, admin.memberId))).toEqual([412, 'organization_inactive']);
    await h.sql`update organizations set active = true where id = ${id}`;
    await expectUnchanged(team);
  });
});

test('a key of the whole user may, with the password', async () => {
  const { id, owner, admin } = await newTeam(h);
  const key = await h.key(owner, { scope: 'user' });
  expect((await transfer(key, id, admin.memberId)).status).toBe(200);
});

test('an account whose organizations are all handed over can be removed', async () => {
  const { id, owner, admin } = await newTeam(h);
  await h.sql`delete from organizations where owner_id = ${owner.id} and id <> ${id}`;
  const removal = () => owner.post('user.remove', { userId: 'me', currentPassword: PASSWORD });
  expect(outcome(await removal())).toEqual([412, 'owns_organizations']);
  await transfer(owner, id, admin.memberId);
  expect((await removal()).status).toBe(200);
  expect((await admin.get('organization.one', { organizationId: id })).body.ownerId).toBe(admin.id);
});
