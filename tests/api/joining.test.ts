import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Caller, createHarness, type Harness, type TestUser } from '../support/harness.ts';
import { invite, leaveEverything, newAddress, tokenFor } from './stage.ts';
import { newTeam, rolesOf } from './team.ts';

/* Who is brought into an organization with `addMember`, and whether that needs the person's word. */

let h: Harness;
beforeAll(async () => {
  h = await createHarness();
  await h.user(); // the first account is the rootAdmin
});
afterAll(() => h[Symbol.asyncDispose]());

const add = (caller: Caller, organizationId: string, email: string, role?: string) =>
  caller.post('organization.addMember', { organizationId, email, role });
const makeStaff = ({ id }: TestUser, role = 'staff') =>
  h.sql`update users set role = ${role} where id = ${id}`;

test('an account joins by accepting', async () => {
  const { id, owner } = await newTeam(h);
  const guest = await h.user();
  const { status, body } = await add(owner, id, guest.email, 'admin');
  expect(status).toBe(200);
  expect(Object.keys(body)).toEqual(['invitation']);
  expect(body.invitation).toMatchObject({ email: guest.email, role: 'admin', status: 'pending' });
  expect((await guest.get('organization.one', { organizationId: id })).status).toBe(404);
  const token = await tokenFor(h, guest.email);
  expect((await guest.post('invitation.accept', { token })).body.role).toBe('admin');
});

test('whether an address has an account does not show', async () => {
  const { id, admin } = await newTeam(h);
  const shape = async (email: string) => {
    const { body } = await add(admin, id, email);
    return [Object.keys(body), Object.keys(body.invitation).sort()];
  };
  expect(await shape((await h.user()).email)).toEqual(await shape(newAddress()));
});

describe('platform staff', () => {
  test.each(['staff', 'admin'])('of the role %s add an account at once', async (role) => {
    const { id, admin } = await newTeam(h);
    await makeStaff(admin, role);
    const guest = await h.user();
    await leaveEverything(h, guest);
    const { id: open } = await invite(admin, id, guest.email);
    const { status, body } = await add(admin, id, guest.email.toUpperCase());
    expect(status).toBe(200);
    expect(body).toEqual({
      member: {
        ...{ id: expect.any(String), organizationId: id, userId: guest.id, role: 'member' },
        ...{ isDefault: true, createdAt: expect.any(String) },
      },
    });
    expect((await guest.get('organization.active')).body.id).toBe(id);
    const [{ status: closed } = {}] = await h.sql`select status from invitations where id = ${open}`;
    expect(closed).toBe('canceled');
    const again = await add(admin, id, guest.email);
    expect([again.status, again.body.data.reason]).toEqual([409, 'already_member']);
  });

  test('invite an address that is unproved, unknown or of a suspended account', async () => {
    const { id, admin } = await newTeam(h);
    await makeStaff(admin);
    const suspended = await h.user();
    await h.sql`update users set suspended_at = now() where id = ${suspended.id}`;
    const unproved = await h.user({ verified: false });
    for (const email of [suspended.email, unproved.email, newAddress()]) {
      expect(Object.keys((await add(admin, id, email)).body)).toEqual(['invitation']);
    }
    expect(Object.keys(await rolesOf(h, id))).toHaveLength(5);
  });

  test('do so neither with a limited key, nor where they are no admins, nor beyond their own rights', async () => {
    const { id, admin, member } = await newTeam(h);
    const outsider = await h.user();
    for (const staff of [admin, member, outsider]) await makeStaff(staff);
    const [first, second] = [await h.user(), await h.user()];
    const key = await h.key(admin, { organizationId: id });
    expect(Object.keys((await add(key, id, first.email)).body)).toEqual(['invitation']);
    expect((await add(member, id, second.email)).status).toBe(403);
    expect((await add(outsider, id, second.email)).status).toBe(404);
    expect((await add(admin, id, second.email, 'owner')).status).toBe(400);
    expect(Object.keys(await rolesOf(h, id))).toHaveLength(5);
  });

  test('do not in an organization that is switched off', async () => {
    const { id, admin } = await newTeam(h);
    await makeStaff(admin);
    await h.sql`update organizations set active = false where id = ${id}`;
    const { status, body } = await add(admin, id, (await h.user()).email);
    expect([status, body.data.reason]).toEqual([412, 'organization_inactive']);
  });
});
