import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createHarness, type Harness, type Reply, type TestUser } from '../support/harness.ts';
import { invite, linkFor, mailTo, newAddress, tokenFor } from './stage.ts';

/* What the organization does: invite, list, remove, and the mail that follows. */

const HOUR = 3_600_000;

let h: Harness;
beforeAll(async () => {
  h = await createHarness();
  await h.app.jobs.stop(); // mails leave when a test says so
});
afterAll(() => h[Symbol.asyncDispose]());

const send = (by: TestUser, organizationId: string, email: string, role?: string) =>
  by.post('organization.inviteMember', { organizationId, email, role });
const list = async (by: TestUser, organizationId: string) =>
  (await by.get('organization.allInvitations', { organizationId })).body;
const mailsTo = async (email: string) => {
  while ((await h.sql`select 1 from jobs`).length > 0) await h.app.jobs.runDue();
  return h.mails.filter(({ to }) => to === email);
};

describe('inviting', () => {
  test('opens an invitation for 48 hours, to the address in its plain form', async () => {
    const { id: organizationId, owner } = await h.organization();
    const { status, body } = await send(owner, organizationId, '  Ada.Lovelace@Example.ORG ', 'admin');
    expect(status).toBe(200);
    expect(body).toEqual({
      id: expect.any(String),
      organizationId,
      email: 'ada.lovelace@example.org',
      role: 'admin',
      status: 'pending',
      inviterId: owner.id,
      expiresAt: expect.any(String),
      createdAt: expect.any(String),
    });
    expect(Date.parse(body.expiresAt) - Date.parse(body.createdAt)).toBe(48 * HOUR);
    expect(await list(owner, organizationId)).toEqual([body]);
  });

  test('without a role means the default role of the organization, or member', async () => {
    const { id: organizationId, owner } = await h.organization();
    expect((await send(owner, organizationId, newAddress())).body.role).toBe('member');
    await owner.post('organization.update', { organizationId, defaultRole: 'admin' });
    expect((await send(owner, organizationId, newAddress())).body.role).toBe('admin');
    expect((await send(owner, organizationId, newAddress(), 'member')).body.role).toBe('member');
  });

  test.each([
    ['to ownership', { email: 'a@example.org', role: 'owner' }],
    ['to a role that does not exist', { email: 'a@example.org', role: 'king' }],
    ['of something that is no address', { email: 'ada', role: 'member' }],
    ['of two addresses', { email: 'a@example.org,b@example.org', role: 'member' }],
    ['of an address with a line break', { email: 'a@example.org\r\nBcc: b@example.org', role: 'member' }],
    ['of nobody', { role: 'member' }],
  ])('%s is 400', async (_, input) => {
    const { id: organizationId, owner } = await h.organization();
    expect((await owner.post('organization.inviteMember', { organizationId, ...input })).status).toBe(400);
    expect(await list(owner, organizationId)).toEqual([]);
  });

  test('an admin may invite, also to his own role', async () => {
    const { id: organizationId, join } = await h.organization();
    const admin = await join('admin');
    expect((await send(admin, organizationId, newAddress(), 'admin')).status).toBe(200);
  });

  test('a member again, or an address with an open invitation, is 409', async () => {
    const { id: organizationId, owner, join } = await h.organization();
    const member = await join('member');
    const again = await send(owner, organizationId, member.email.toUpperCase());
    expect([again.status, again.body.data.reason]).toEqual([409, 'already_member']);
    const { email } = await invite(owner, organizationId);
    const twice = await send(owner, organizationId, email.toUpperCase());
    expect([twice.status, twice.body.data.reason]).toEqual([409, 'already_invited']);
    expect(await list(owner, organizationId)).toHaveLength(1);

    const { id: other, owner: otherOwner } = await h.organization();
    expect((await send(otherOwner, other, email)).status).toBe(200); // elsewhere it is open
  });

  test('an expired, removed or rejected invitation does not block a new one', async () => {
    const { id: organizationId, owner } = await h.organization();
    const guest = await h.user();
    const removed = await invite(owner, organizationId);
    await owner.post('organization.removeInvitation', { invitationId: removed.id });
    const first = await invite(owner, organizationId, removed.email);
    const second = await invite(owner, organizationId, guest.email);
    await guest.post('invitation.reject', { invitationId: second.id });
    const third = await invite(owner, organizationId, guest.email);
    h.clock.advance(48 * HOUR);
    expect(await list(owner, organizationId)).toMatchObject([
      { id: third.id, status: 'expired' },
      { id: second.id, status: 'rejected' },
      { id: first.id, status: 'expired' },
    ]);
    await invite(owner, organizationId, guest.email);
    expect(await list(owner, organizationId)).toMatchObject([
      { status: 'pending' },
      { id: third.id, status: 'expired' },
      { id: second.id, status: 'rejected' },
      { id: first.id, status: 'expired' },
    ]);
  });

  test.each(['demoted', 'gone'])('nor does one whose inviter is %s', async (fate) => {
    const { id: organizationId, owner, join } = await h.organization();
    const admin = await join('admin');
    const { id, email } = await invite(admin, organizationId);
    expect((await send(owner, organizationId, email)).status).toBe(409);
    if (fate === 'gone') await h.sql`delete from memberships where id = ${admin.memberId}`;
    else await owner.post('organization.updateMemberRole', { memberId: admin.memberId, role: 'member' });
    expect(await list(owner, organizationId)).toMatchObject([{ id, status: 'canceled' }]);
    expect((await send(owner, organizationId, email)).status).toBe(200);
    expect(await list(owner, organizationId)).toMatchObject([
      { status: 'pending', inviterId: owner.id },
      { id, status: 'canceled' },
    ]);
  });
});

describe('the mail', () => {
  test('goes to the invited address once, with a link that works', async () => {
    const { id: organizationId, owner } = await h.organization(await h.user({ name: 'Ada <b>& Co' }));
    const { email } = await invite(owner, organizationId);
    const [mail, ...more] = await mailsTo(email);
    expect(more).toEqual([]);
    expect(mail).toMatchObject({ to: email, subject: 'Invitation to Acme' });
    expect(mail?.text).toContain('Ada <b>& Co invites you to join Acme as member.');
    expect(mail?.html).toContain('Ada &#60;b&#62;&#38; Co invites you');
    expect(mail?.html).toContain(`href="${await linkFor(h, email)}"`);

    const link = new URL(await linkFor(h, email));
    expect(link.origin).toBe('http://localhost:3000'); // PUBLIC_URL
    const page = await h.anonymous.send(`${link.pathname}${link.search}`, {});
    expect([page.status, page.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8']);
    const token = link.searchParams.get('token') ?? '';
    expect((await h.anonymous.get('invitation.preview', { token })).body).toMatchObject({
      organizationId,
      organizationName: 'Acme',
      email,
      role: 'member',
      inviterName: 'Ada <b>& Co',
    });
    const guest = await h.user({ email, verified: false });
    expect((await guest.post('invitation.accept', { token })).status).toBe(200);
    const sent = (await mailsTo(email)).filter(({ subject }) => subject === mail?.subject);
    expect(sent).toHaveLength(1);
  });

  test('leads where the settings say, whatever host the request names', async () => {
    const { id: organizationId, owner } = await h.organization();
    const email = newAddress();
    const headers = {
      'x-forwarded-host': 'evil.example',
      'x-forwarded-proto': 'https',
      forwarded: 'host=evil',
    };
    await owner.post('organization.inviteMember', { organizationId, email }, headers);
    expect(await linkFor(h, email)).toMatch(/^http:\/\/localhost:3000\/invitation\?token=[\w-]{43}$/);
  });

  test('is asked for in the transaction of the invitation: neither without the other', async () => {
    const { id: organizationId, owner } = await h.organization();
    const email = newAddress();
    await h.sql`create function refuse() returns trigger language plpgsql as $$ begin raise 'no jobs'; end $$`;
    await h.sql`create trigger refuse before insert on jobs execute function refuse()`;
    try {
      expect((await send(owner, organizationId, email)).status).toBe(500);
    } finally {
      await h.sql`drop trigger refuse on jobs`;
    }
    expect(await list(owner, organizationId)).toEqual([]);

    await invite(owner, organizationId, email);
    expect((await send(owner, organizationId, email)).status).toBe(409);
    expect(await mailsTo(email)).toHaveLength(1);
  });

  type Fate = (to: { id: string; guest: TestUser; owner: TestUser; memberId: string }) => Promise<unknown>;
  test.each<[string, Fate]>([
    ['removed', ({ id, owner }) => owner.post('organization.removeInvitation', { invitationId: id })],
    ['rejected', ({ id, guest }) => guest.post('invitation.reject', { invitationId: id })],
    ['accepted', ({ id, guest }) => guest.post('invitation.accept', { invitationId: id })],
    [
      'left without an inviter who may invite',
      ({ owner, memberId }) => owner.post('organization.updateMemberRole', { memberId, role: 'member' }),
    ],
  ])('is not sent once the invitation is %s', async (_, happen) => {
    const { id: organizationId, owner, join } = await h.organization();
    const [admin, guest] = [await join('admin'), await h.user()];
    const { id } = await invite(admin, organizationId, guest.email);
    await happen({ id, guest, owner, memberId: admin.memberId });
    const other = await invite(owner, organizationId);
    await mailTo(h, other.email); // later jobs have been run by now
    expect(await mailsTo(guest.email)).toEqual([]);
  });

  test('is not sent for an organization that is deleted, or after the invitation has expired', async () => {
    const { id: organizationId, owner } = await h.organization();
    const { email } = await invite(owner, organizationId);
    await owner.post('organization.delete', { organizationId });
    const { id, owner: other } = await h.organization();
    const late = await invite(other, id);
    h.clock.advance(48 * HOUR);
    expect(await mailsTo(email)).toEqual([]);
    expect(await mailsTo(late.email)).toEqual([]);
  });
});

test('a removed invitation is gone, and its token opens nothing', async () => {
  const { id: organizationId, owner, join } = await h.organization();
  const { id, email } = await invite(owner, organizationId);
  const token = await tokenFor(h, email);
  const admin = await join('admin');
  const removed = await admin.post('organization.removeInvitation', { invitationId: id });
  expect([removed.status, removed.body]).toEqual([200, []]);
  expect(await list(owner, organizationId)).toEqual([]);
  expect((await h.anonymous.get('invitation.preview', { token })).status).toBe(404);
  expect((await owner.post('organization.removeInvitation', { invitationId: id })).status).toBe(404);
  const guest = await h.user({ email });
  for (const key of [{ token }, { invitationId: id }]) {
    expect((await guest.post('invitation.accept', key)).status).toBe(404);
  }
});

describe('mails to one address', () => {
  test('are three of one person in a quarter of an hour, however often they are withdrawn', async () => {
    const one = await h.organization();
    const other = await h.organization(one.owner);
    const email = newAddress();
    const limited = [429, 'address_invited_often'];
    const said = ({ status, body }: Reply) => [status, body.data?.reason];
    const first = await invite(one.owner, one.id, email);
    expect(said(await send(one.owner, one.id, email))).toEqual([409, 'already_invited']); // sends nothing
    await one.owner.post('organization.removeInvitation', { invitationId: first.id });
    await invite(one.owner, one.id, email);
    const { id: invitationId } = await invite(other.owner, other.id, email);
    await other.owner.post('organization.removeInvitation', { invitationId });

    const refused = await send(other.owner, other.id, email);
    expect(said(refused)).toEqual(limited);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(60);
    const input = { organizationId: other.id, email };
    expect(said(await other.owner.post('organization.addMember', input))).toEqual(limited);
    const fresh = newAddress();
    const { body } = await other.owner.post('organization.inviteMembers', {
      organizationId: other.id,
      invitations: [{ email }, { email: fresh }],
    });
    expect(body).toMatchObject([
      { email, status: 'refused', reason: 'address_invited_often' },
      { email: fresh, status: 'invited' },
    ]);
    const [open] = await list(one.owner, one.id);
    h.clock.advance(60_000);
    expect(said(await one.owner.post('organization.resendInvitation', { invitationId: open.id }))).toEqual(
      limited,
    );
    expect((await one.owner.post('organization.invitationLink', { invitationId: open.id })).status).toBe(200);

    const unrelated = await h.organization(); // which learns of none of this
    await invite(unrelated.owner, unrelated.id, email);
  });
});
