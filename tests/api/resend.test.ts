import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { hashSecret } from '../../src/kernel/secrets.ts';
import { createHarness, type Harness, statuses, type TestUser, times } from '../support/harness.ts';
import { invite, mailTo, newAddress, tokenFor } from './stage.ts';

/* An invitation is sent again with a new link, and only the newest link opens it. */

const HOUR_MS = 60 * 60 * 1000;

let h: Harness;
beforeAll(async () => {
  h = await createHarness();
});
afterAll(() => h[Symbol.asyncDispose]());

const resend = (caller: TestUser, invitationId: string) =>
  caller.post('organization.resendInvitation', { invitationId });
const preview = (token: string) => h.anonymous.get('invitation.preview', { token });

/** The token of the newest mail, which is not that of `before`. */
async function nextToken(email: string, before: string): Promise<string> {
  for (;;) {
    const token = await tokenFor(h, email);
    if (token !== before) return token;
  }
}

async function invited(role = 'member') {
  const { id: organizationId, owner, join } = await h.organization();
  const { id, email } = await invite(owner, organizationId, newAddress(), role);
  return { organizationId, owner, join, id, email, token: await tokenFor(h, email) };
}

describe.each(['organization.resendInvitation', 'user.sendInvitation'])('%s', (name) => {
  test('sends a new link, and the one before is dead', async () => {
    const { owner, id, email, token } = await invited();
    h.clock.advance(HOUR_MS);
    const expected = h.app.deps.now().getTime() + 48 * HOUR_MS;
    const { status, body, text } = await owner.post(name, { invitationId: id, notificationId: 'smtp' });
    expect(status, text).toBe(200);
    expect(body).toMatchObject({ id, email, status: 'pending', inviterId: owner.id });
    expect(Math.abs(new Date(body.expiresAt).getTime() - expected)).toBeLessThan(10_000);

    expect((await preview(token)).status).toBe(404);
    const next = await nextToken(email, token);
    expect((await preview(next)).body).toMatchObject({ id });
    expect(text).not.toContain(next);
    expect(text).not.toMatch(/token|hash/i);
    const guest = await h.user({ email });
    expect((await guest.post('invitation.accept', { token })).status).toBe(404);
    expect((await guest.post('invitation.accept', { token: next })).status).toBe(200);
  });
});

test('user.sendInvitation right after inviting is the mail that inviting has sent', async () => {
  const { owner, join, id, email, token } = await invited();
  const { status, body } = await owner.post('user.sendInvitation', { invitationId: id });
  expect([status, body]).toEqual([200, expect.objectContaining({ id, email, status: 'pending' })]);
  expect((await preview(token)).body).toMatchObject({ id });
  const another = await join('admin');
  expect((await another.post('user.sendInvitation', { invitationId: id })).status).toBe(429);
});

test('waits a minute after each mail', async () => {
  const { owner, id } = await invited();
  for (let round = 0; round < 2; round += 1) {
    const early = await resend(owner, id);
    expect([early.status, early.body.data.reason]).toEqual([429, 'resend_cooldown']);
    const wait = Number(early.headers.get('retry-after'));
    expect(wait).toBeGreaterThan(50);
    expect(wait).toBeLessThanOrEqual(60);
    h.clock.advance(wait * 1000);
    expect((await resend(owner, id)).status).toBe(200);
  }
});

test('of five at once one goes through, with one mail', async () => {
  const { organizationId, owner, id, email, token } = await invited();
  h.clock.advance(HOUR_MS);
  const replies = await h.race(
    organizationId,
    times(5, () => () => resend(owner, id)),
  );
  expect(statuses(replies)).toEqual([200, 429, 429, 429, 429]);
  await nextToken(email, token);
  expect(h.mails.filter(({ to }) => to === email)).toHaveLength(2);
});

test('opens an expired one again', async () => {
  const { owner, id, email, token } = await invited();
  h.clock.advance(49 * HOUR_MS);
  expect((await preview(token)).status).toBe(404);
  expect((await resend(owner, id)).status).toBe(200);
  const guest = await h.user({ email });
  const accepted = await guest.post('invitation.accept', { token: await nextToken(email, token) });
  expect(accepted.status, accepted.text).toBe(200);
});

test('one whose inviter may no longer invite becomes that of who sends it again', async () => {
  const { id: organizationId, owner, join } = await h.organization();
  const admin = await join('admin');
  const { id, email } = await invite(admin, organizationId);
  const token = await tokenFor(h, email);
  await owner.post('organization.updateMemberRole', { memberId: admin.memberId, role: 'member' });
  h.clock.advance(HOUR_MS);
  expect((await resend(owner, id)).body.inviterId).toBe(owner.id);
  expect((await preview(await nextToken(email, token))).status).toBe(200);

  const { id: second } = await invite(owner, organizationId);
  await owner.post('organization.updateMemberRole', { memberId: admin.memberId, role: 'admin' });
  h.clock.advance(HOUR_MS);
  expect((await resend(admin, second)).body.inviterId).toBe(owner.id); // who still may keeps it
});

test.each(['accept', 'reject'])('does not send again what was answered with %s', async (answer) => {
  const { owner, id, email, token } = await invited();
  const guest = await h.user({ email });
  await guest.post(`invitation.${answer}`, { token });
  h.clock.advance(HOUR_MS);
  const { status, body } = await resend(owner, id);
  expect([status, body.data.reason]).toEqual([412, 'invitation_closed']);
});

test('does not invite a member', async () => {
  const { owner, join, id, email } = await invited();
  const member = await join('member');
  await h.sql`update users set email = ${email} where id = ${member.id}`;
  h.clock.advance(HOUR_MS);
  const { status, body } = await resend(owner, id);
  expect([status, body.data.reason]).toEqual([409, 'already_member']);
});

describe('user.getUserByToken', () => {
  const read = (token: string) => h.anonymous.get('user.getUserByToken', { token });

  test('tells the holder of a token what it opens and whether the address has an account', async () => {
    const { organizationId, id, email, token } = await invited('admin');
    const { status, body, text } = await read(token);
    expect(status).toBe(200);
    expect(body).toMatchObject({
      ...{ id, organizationId, email, role: 'admin', status: 'pending', organizationName: 'Acme' },
      ...{ isExpired: false, userAlreadyExists: false },
    });
    expect(text).not.toContain(token);
    expect(text).not.toContain(hashSecret(token));
    await h.user({ email });
    expect((await read(token)).body.userAlreadyExists).toBe(true);
    h.clock.advance(48 * HOUR_MS);
    expect((await read(token)).body.isExpired).toBe(true);
  });

  test('used, replaced and unknown tokens are not found alike', async () => {
    const { owner, id, email, token } = await invited();
    h.clock.advance(HOUR_MS);
    await resend(owner, id);
    const unknown = await read('x'.repeat(43));
    expect([(await read(token)).text, unknown.status]).toEqual([unknown.text, 404]);
    const next = await nextToken(email, token);
    await (await h.user({ email })).post('invitation.accept', { token: next });
    expect((await read(next)).text).toBe(unknown.text);
    expect((await read('x')).text).toBe(unknown.text);
  });

  test('falls with its inviter', async () => {
    const { id: organizationId, owner, join } = await h.organization();
    const admin = await join('admin');
    const { email } = await invite(admin, organizationId);
    const token = await tokenFor(h, email);
    await owner.post('organization.updateMemberRole', { memberId: admin.memberId, role: 'member' });
    expect((await read(token)).status).toBe(404);
  });
});

test('a mail that is still waiting does not leave with the old link', async () => {
  await h.app.jobs.stop();
  const { id: organizationId, owner } = await h.organization();
  const { id, email } = await invite(owner, organizationId);
  h.clock.advance(HOUR_MS);
  await resend(owner, id);
  await mailTo(h, email);
  await h.app.jobs.runDue();
  expect(h.mails.filter(({ to }) => to === email)).toHaveLength(1);
  expect((await preview(await tokenFor(h, email))).status).toBe(200);
});
