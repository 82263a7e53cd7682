import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createHarness, type Harness, times } from '../support/harness.ts';
import { invite, linkFor, newAddress, tokenFor } from './stage.ts';
import { newTeam } from './team.ts';

/* A list of addresses is invited in one call; each has an outcome of its own. */

let h: Harness;
beforeAll(async () => {
  h = await createHarness();
  await h.user(); // the first account is the rootAdmin
});
afterAll(() => h[Symbol.asyncDispose]());

type Row = { email: string; role?: string };
const inviteAll = (caller: { post: Harness['anonymous']['post'] }, organizationId: string, rows: Row[]) =>
  caller.post('organization.inviteMembers', { organizationId, invitations: rows });
const trailOf = (organizationId: string) => h.sql`
  select action, resource_type, after from audit_log
  where organization_id = ${organizationId} and action like 'create%' and resource_type = 'invitation'`;

test('a hundred at once, each with a mail of its own', async () => {
  const { id, owner } = await newTeam(h);
  const rows = times(100, (n) => ({ email: newAddress(), role: n % 2 === 0 ? 'member' : 'admin' }));
  const { status, body } = await inviteAll(owner, id, rows);
  expect(status).toBe(200);
  expect(body).toHaveLength(100);
  for (const [n, row] of rows.entries()) {
    const invitation = { ...row, organizationId: id, status: 'pending', inviterId: owner.id };
    expect(body[n]).toMatchObject({ email: row.email, status: 'invited', invitation });
  }
  const [one, other] = [rows[0]?.email ?? '', rows[99]?.email ?? ''];
  expect(await tokenFor(h, one)).not.toBe(await tokenFor(h, other));
  const guest = await h.user({ email: other });
  const accepted = await guest.post('invitation.accept', { token: await tokenFor(h, other) });
  expect([accepted.status, accepted.body.role]).toEqual([200, 'admin']);

  const [entry, ...more] = await trailOf(id);
  expect(more).toEqual([]);
  expect(entry?.after.invitations).toHaveLength(100);
  const { body: listed } = await owner.get('organization.allInvitations', { organizationId: id });
  expect(listed).toHaveLength(100);
});

test('what keeps one from being invited keeps no other', async () => {
  const { id, owner, admin, member } = await newTeam(h);
  const { email: open } = await invite(owner, id);
  const { email: expired, id: expiredId } = await invite(owner, id);
  await h.sql`update invitations set expires_at = now() - interval '1 hour' where id = ${expiredId}`;
  const { email: fallen, id: fallenId } = await invite(owner, id, newAddress(), 'member');
  await h.sql`update invitations set inviter_id = ${member.id} where id = ${fallenId}`;
  const fresh = newAddress();
  const { status, body } = await inviteAll(admin, id, [
    { email: member.email.toUpperCase() },
    { email: open },
    { email: expired },
    { email: fallen },
    { email: fresh },
    { email: ` ${fresh.toUpperCase()} ` },
  ]);
  expect(status).toBe(200);
  expect(body.map((row: { status: string; reason?: string }) => row.reason ?? row.status)).toEqual([
    ...['already_member', 'already_invited', 'invited', 'invited', 'invited', 'duplicate'],
  ]);
  expect(body[0]).toEqual({
    email: member.email,
    status: 'refused',
    reason: 'already_member',
    message: 'This address belongs to a member.',
  });
  const before =
    await h.sql`select id, status from invitations where id in ${h.sql([expiredId, fallenId])} order by id`;
  expect(before.map((row) => row.status)).toEqual(['expired', 'canceled']);
  const pending =
    await h.sql`select email from invitations where organization_id = ${id} and status = 'pending'`;
  expect(pending.map(({ email }) => email).sort()).toEqual([open, expired, fallen, fresh].sort());
});

test('without a role it is the default one', async () => {
  const { id, owner } = await newTeam(h);
  await owner.post('organization.update', { organizationId: id, defaultRole: 'admin' });
  const { body } = await inviteAll(owner, id, [
    { email: newAddress() },
    { email: newAddress(), role: 'member' },
  ]);
  expect(body.map((row: { invitation: Row }) => row.invitation.role)).toEqual(['admin', 'member']);
});

test('who is all refused leaves nothing in the trail', async () => {
  const { id, owner, member } = await newTeam(h);
  const { body } = await inviteAll(owner, id, [{ email: member.email }]);
  expect(body).toMatchObject([{ status: 'refused' }]);
  expect(await trailOf(id)).toHaveLength(0);
});

describe('the whole list is refused', () => {
  test.each([
    ['an address that is none', [{ email: newAddress() }, { email: 'nobody' }], ['invitations', 1, 'email']],
    ['the role of the owner', [{ email: newAddress(), role: 'owner' }], ['invitations', 0, 'role']],
    ['nobody', [], ['invitations']],
    ['more than a hundred', times(101, () => ({ email: newAddress() })), ['invitations']],
  ])('for %s', async (_, rows, path) => {
    const { id, owner } = await newTeam(h);
    const { status, body } = await inviteAll(owner, id, rows);
    expect([status, body.issues[0].path]).toEqual([400, path]);
    expect(await trailOf(id)).toHaveLength(0);
  });

  test('by a plain member', async () => {
    const { id, member } = await newTeam(h);
    expect((await inviteAll(member, id, [{ email: newAddress() }])).status).toBe(403);
  });

  test('the eleventh time in a minute', async () => {
    const { id, owner, member } = await newTeam(h);
    for (let n = 0; n < 10; n += 1) await inviteAll(owner, id, [{ email: member.email }]);
    const { status, headers } = await inviteAll(owner, id, [{ email: member.email }]);
    expect([status, Number(headers.get('retry-after')) > 0]).toEqual([429, true]);
  });
});

describe('a link to hand over', () => {
  const link = (caller: { post: Harness['anonymous']['post'] }, invitationId: string) =>
    caller.post('organization.invitationLink', { invitationId });
  const tokenOf = (url: string) => new URL(url).searchParams.get('token') ?? '';
  const preview = (token: string) => h.anonymous.get('invitation.preview', { token });

  test('opens the invitation, and the links before do not', async () => {
    const { id, owner, admin } = await newTeam(h);
    const { id: invitationId, email } = await invite(owner, id);
    const mailed = await linkFor(h, email);
    const { status, body } = await link(admin, invitationId);
    expect(status).toBe(200);
    expect(body.url).toMatch(/^http:\/\/localhost:3000\/invitation\?token=[\w-]{43}$/);
    const left = new Date(body.expiresAt).getTime() - h.app.deps.now().getTime();
    expect(Math.abs(left - 48 * 3_600_000)).toBeLessThan(10_000);
    expect((await preview(tokenOf(mailed))).status).toBe(404);
    const again = (await link(owner, invitationId)).body.url;
    expect((await preview(tokenOf(body.url))).status).toBe(404);
    expect((await preview(tokenOf(again))).body).toMatchObject({ id: invitationId, email });

    await h.app.jobs.runDue();
    expect(h.mails.filter(({ to }) => to === email)).toHaveLength(1);
    const trail = await h.sql`select * from audit_log where organization_id = ${id} and action = 'link'`;
    expect(trail).toHaveLength(2);
    expect(JSON.stringify(trail)).not.toContain(tokenOf(again));
    const guest = await h.user({ email });
    expect((await guest.post('invitation.accept', { token: tokenOf(again) })).status).toBe(200);
  });

  test('keeps a mail that has not left from leaving with a dead link', async () => {
    const { id, owner } = await newTeam(h);
    await h.app.jobs.stop();
    const { id: invitationId, email } = await invite(owner, id);
    await link(owner, invitationId);
    await h.app.jobs.runDue();
    expect(h.mails.filter(({ to }) => to === email)).toEqual([]);
  });

  test('proves nothing about the address, and is for no other', async () => {
    const { id, owner } = await newTeam(h);
    const { id: invitationId, email } = await invite(owner, id);
    const token = tokenOf((await link(owner, invitationId)).body.url);
    const other = await h.user();
    const refused = await other.post('invitation.accept', { token });
    expect([refused.status, refused.body.data.reason]).toEqual([403, 'invitation_for_another_address']);
    const account = { email, password: 'Correct-horse-1', name: 'Guest', invitationToken: token };
    expect((await h.anonymous.post('auth/sign-up/email', account)).status).toBe(200);
    const [guest] = await h.sql`select email_verified from users where email = ${email}`;
    expect(guest).toEqual({ emailVerified: false });
  });

  test('opens an expired one again, becomes of who makes it, and is not made for closed ones', async () => {
    const { id, owner, member } = await newTeam(h);
    const { id: invitationId, email } = await invite(owner, id);
    await h.sql`update invitations set expires_at = now() - interval '1 hour', inviter_id = ${member.id}
      where id = ${invitationId}`;
    const token = tokenOf((await link(owner, invitationId)).body.url);
    expect((await preview(token)).body.inviterName).toMatch(/^User/);
    const guest = await h.user({ email });
    await guest.post('invitation.reject', { token });
    const { status, body } = await link(owner, invitationId);
    expect([status, body.data.reason]).toEqual([412, 'invitation_closed']);
  });

  test('is not for plain members, nor of an organization that is switched off', async () => {
    const { id, owner, member } = await newTeam(h);
    const { id: invitationId } = await invite(owner, id);
    expect((await link(member, invitationId)).status).toBe(403);
    await h.sql`update organizations set active = false where id = ${id}`;
    expect((await link(owner, invitationId)).status).toBe(412);
  });
});

test('an address is one, however it is written', async () => {
  const { id, owner } = await newTeam(h);
  const invited = await owner.post('organization.inviteMember', {
    organizationId: id,
    email: 'Ada@EXÄMPLE.org',
  });
  expect(invited.body.email).toBe('ada@xn--exmple-cua.org');
  const { body } = await inviteAll(owner, id, [
    { email: 'ada@xn--exmple-cua.org' },
    { email: 'ada@EXA\u0308MPLE.ORG' }, // a letter and its dots apart
    { email: 'ada@ｅｘämple．org' },
    { email: 'grace@exämple.org' },
  ]);
  expect(body.map((row: { reason?: string }) => row.reason)).toEqual([
    ...['already_invited', 'duplicate', 'duplicate', undefined],
  ]);
  const guest = await h.user({ email: 'ada@xn--exmple-cua.org' });
  const token = await tokenFor(h, 'ada@xn--exmple-cua.org');
  expect((await guest.post('invitation.accept', { token })).status).toBe(200);
  const signIn = { email: 'ADA@exämple.org', password: 'Correct-horse-1' };
  expect((await h.anonymous.post('auth/sign-in/email', signIn)).status).toBe(200);
  const folded = await owner.post('organization.inviteMember', {
    organizationId: id,
    email: 'ａda@exämple.org',
  });
  expect([folded.status, folded.body.issues[0].path]).toEqual([400, ['email']]);
});
