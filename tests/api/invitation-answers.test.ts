import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { newId } from '../../src/kernel/ids.ts';
import { createHarness, type Harness, type TestUser } from '../support/harness.ts';
import { invite, newAddress, tokenFor } from './stage.ts';

/* What the invited person does: read, accept, reject. */

const HOUR = 3_600_000;

let h: Harness;
beforeAll(async () => {
  h = await createHarness();
});
afterAll(() => h[Symbol.asyncDispose]());

const preview = (token: string) => h.anonymous.get('invitation.preview', { token });
const roleIn = async (user: TestUser, organizationId: string): Promise<string | undefined> => {
  const { status, body } = await user.get('organization.one', { organizationId });
  return status === 200 ? body.role : undefined;
};

/** An open invitation with its token, and the account that it is for. */
async function open(options: { verified?: boolean; role?: string } = {}) {
  const organization = await h.organization();
  const guest = await h.user({ email: newAddress(), verified: options.verified ?? true });
  const { id } = await invite(organization.owner, organization.id, guest.email, options.role ?? 'member');
  return { ...organization, guest, invitationId: id, token: await tokenFor(h, guest.email) };
}

describe('accepting', () => {
  test.each(['admin', 'member'])('makes a member with the role %s', async (role) => {
    const { id: organizationId, owner, guest, token, invitationId } = await open({ role });
    const { status, body } = await guest.post('invitation.accept', { token });
    expect(status).toBe(200);
    expect(body).toMatchObject({ organizationId, userId: guest.id, role, isDefault: false });
    expect(await roleIn(guest, organizationId)).toBe(role);
    expect((await owner.get('organization.allInvitations', { organizationId })).body).toMatchObject([
      { id: invitationId, status: 'accepted' },
    ]);
  });

  test('by the token needs no verified address, by the id it does', async () => {
    const { id, guest, token, invitationId } = await open({ verified: false });
    const byId = await guest.post('invitation.accept', { invitationId });
    expect([byId.status, byId.body.data.reason]).toEqual([403, 'email_not_verified']);
    // and it does not tell whether there is such an invitation
    const missing = await guest.post('invitation.accept', { invitationId: newId() });
    expect(missing.text).toBe(byId.text);
    expect(await roleIn(guest, id)).toBeUndefined();
    expect((await guest.post('invitation.accept', { token })).status).toBe(200);
    expect(await roleIn(guest, id)).toBe('member');
  });

  test('by the id, with a verified address', async () => {
    const { id, guest, invitationId } = await open();
    expect((await guest.post('invitation.accept', { invitationId })).status).toBe(200);
    expect(await roleIn(guest, id)).toBe('member');
  });

  test('works once: then the token opens nothing, for anybody', async () => {
    const { guest, owner, token, invitationId } = await open();
    const unknown = await guest.post('invitation.accept', { token: 'x'.repeat(43) });
    expect(unknown.status).toBe(404);
    await guest.post('invitation.accept', { token });
    for (const user of [guest, owner, await h.user()]) {
      expect((await user.post('invitation.accept', { token })).text).toBe(unknown.text);
      expect((await user.post('invitation.accept', { invitationId })).text).toBe(unknown.text);
      expect((await user.post('invitation.reject', { token })).status).toBe(404);
    }
    expect((await preview(token)).status).toBe(404);
  });

  test('a used token does not bring a removed member back', async () => {
    const { id, guest, token } = await open();
    await guest.post('invitation.accept', { token });
    await h.sql`delete from memberships where user_id = ${guest.id} and organization_id = ${id}`;
    expect((await guest.post('invitation.accept', { token })).status).toBe(404);
    expect(await roleIn(guest, id)).toBeUndefined();
  });

  test('is for the invited address alone', async () => {
    const { id, guest, token, invitationId } = await open();
    const eve = await h.user();
    for (const answer of ['accept', 'reject']) {
      const byToken = await eve.post(`invitation.${answer}`, { token });
      expect([byToken.status, byToken.body.data.reason]).toEqual([403, 'invitation_for_another_address']);
      expect((await eve.post(`invitation.${answer}`, { invitationId })).status).toBe(404);
    }
    expect(await roleIn(eve, id)).toBeUndefined();
    expect((await guest.post('invitation.accept', { token })).status).toBe(200);
  });

  test('the id is no token', async () => {
    const { guest, invitationId } = await open({ verified: false });
    expect((await guest.post('invitation.accept', { token: invitationId })).status).toBe(404);
    expect((await preview(invitationId)).status).toBe(404);
  });

  test('takes the token or the id', async () => {
    const { guest, token, invitationId } = await open();
    for (const key of [{}, { token, invitationId }, { token: '' }, { invitationId: 'x' }]) {
      expect((await guest.post('invitation.accept', key)).status).toBe(400);
    }
  });

  test('of a member is 409', async () => {
    const { id, guest, token } = await open();
    await h.sql`insert into memberships (id, organization_id, user_id, role)
      values (${newId()}, ${id}, ${guest.id}, 'admin')`;
    const { status, body } = await guest.post('invitation.accept', { token });
    expect([status, body.data.reason]).toEqual([409, 'already_member']);
    expect(await roleIn(guest, id)).toBe('admin');
  });
});

describe('an expired invitation', () => {
  test('opens nothing, and its token stays closed after a new one', async () => {
    const { id, owner, guest, token, invitationId } = await open();
    h.clock.advance(48 * HOUR + 1);
    for (const key of [{ token }, { invitationId }]) {
      const { status, body } = await guest.post('invitation.accept', key);
      expect([status, body.data.reason]).toEqual([412, 'invitation_expired']);
      expect((await guest.post('invitation.reject', key)).status).toBe(412);
    }
    expect((await preview(token)).status).toBe(404);
    expect((await guest.get('invitation.mine')).body).toEqual({ items: [], nextCursor: null });

    const again = await invite(owner, id, guest.email);
    expect((await guest.post('invitation.accept', { token })).status).toBe(404);
    expect((await guest.post('invitation.accept', { invitationId: again.id })).status).toBe(200);
  });

  test('is open until then', async () => {
    const { guest, token } = await open();
    h.clock.advance(47 * HOUR);
    expect((await preview(token)).status).toBe(200);
    expect((await guest.post('invitation.accept', { token })).status).toBe(200);
  });
});

describe('an inviter who may not invite any more takes the invitation along', () => {
  async function byAdmin(role: 'admin' | 'member') {
    const organization = await h.organization();
    const admin = await organization.join('admin');
    const guest = await h.user({ email: newAddress() });
    const { id: invitationId } = await invite(admin, organization.id, guest.email, role);
    return { ...organization, admin, guest, invitationId, token: await tokenFor(h, guest.email) };
  }

  test.each(['admin', 'member'] as const)('demoted, having invited to %s', async (role) => {
    const { id, owner, admin, guest, invitationId, token } = await byAdmin(role);
    expect((await preview(token)).status).toBe(200);
    await owner.post('organization.updateMemberRole', { memberId: admin.memberId, role: 'member' });
    for (const key of [{ token }, { invitationId }]) {
      expect((await guest.post('invitation.accept', key)).status).toBe(404);
      expect((await guest.post('invitation.reject', key)).status).toBe(404);
    }
    expect((await preview(token)).status).toBe(404);
    expect((await guest.get('invitation.mine')).body).toEqual({ items: [], nextCursor: null });
    expect(await roleIn(guest, id)).toBeUndefined();
  });

  test('demoted while an acceptance waits', async () => {
    const { id, admin, guest, token } = await byAdmin('member');
    const [reply] = await h.race(
      id,
      [() => guest.post('invitation.accept', { token })],
      (tx) => tx`update memberships set role = 'member' where id = ${admin.memberId}`,
    );
    expect(reply?.status).toBe(404);
    expect(await roleIn(guest, id)).toBeUndefined();
  });

  test('suspended, for as long', async () => {
    const { id, owner, admin, guest, token, invitationId } = await byAdmin('member');
    await h.sql`update users set suspended_at = now() where id = ${admin.id}`;
    for (const key of [{ token }, { invitationId }]) {
      expect((await guest.post('invitation.accept', key)).status).toBe(404);
    }
    expect((await preview(token)).status).toBe(404);
    const { body } = await owner.get('organization.allInvitations', { organizationId: id });
    expect(body).toMatchObject([{ id: invitationId, status: 'canceled' }]);
    await h.sql`update users set suspended_at = null where id = ${admin.id}`;
    expect((await guest.post('invitation.accept', { token })).status).toBe(200);
  });

  test('suspended, until somebody else sends it again', async () => {
    const { owner, admin, guest, invitationId } = await byAdmin('member');
    await h.sql`update users set suspended_at = now() where id = ${admin.id}`;
    h.clock.advance(60_000);
    const { body } = await owner.post('organization.resendInvitation', { invitationId });
    expect(body).toMatchObject({ status: 'pending', inviterId: owner.id });
    expect((await guest.post('invitation.accept', { token: await tokenFor(h, guest.email) })).status).toBe(
      200,
    );
  });

  test('removed', async () => {
    const { id, admin, guest, token } = await byAdmin('member');
    await h.sql`delete from memberships where id = ${admin.memberId}`;
    expect((await guest.post('invitation.accept', { token })).status).toBe(404);
    expect((await preview(token)).status).toBe(404);
    expect(await roleIn(guest, id)).toBeUndefined();
  });
});

describe('rejecting', () => {
  test('closes the invitation for good', async () => {
    const { id, owner, guest, token, invitationId } = await open();
    const { status, body } = await guest.post('invitation.reject', { token });
    expect([status, body]).toEqual([200, { success: true }]);
    for (const key of [{ token }, { invitationId }]) {
      expect((await guest.post('invitation.accept', key)).status).toBe(404);
    }
    expect((await owner.get('organization.allInvitations', { organizationId: id })).body).toMatchObject([
      { status: 'rejected' },
    ]);
  });

  test('by the id needs a verified address', async () => {
    const { guest, invitationId } = await open({ verified: false });
    expect((await guest.post('invitation.reject', { invitationId })).status).toBe(403);
  });
});

describe('mine', () => {
  test('lists what is open for the verified address, newest first', async () => {
    const { id: first, guest } = await open();
    const { id: second, owner } = await h.organization();
    await invite(owner, second, guest.email, 'admin');
    await invite(owner, second); // somebody else's
    const { items } = (await guest.get('invitation.mine')).body;
    expect(items).toMatchObject([
      { organizationId: second, organizationName: 'Acme', role: 'admin', email: guest.email },
      { organizationId: first, role: 'member' },
    ]);
    await guest.post('invitation.accept', { invitationId: items[0].id });
    await guest.post('invitation.reject', { invitationId: items[1].id });
    expect((await guest.get('invitation.mine')).body).toEqual({ items: [], nextCursor: null });
  });

  test('of an address that is not verified is 403', async () => {
    const { guest } = await open({ verified: false });
    const { status, body } = await guest.get('invitation.mine');
    expect([status, body.data.reason]).toEqual([403, 'email_not_verified']);
  });
});
