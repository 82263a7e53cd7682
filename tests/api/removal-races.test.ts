import { afterAll, beforeAll, expect, test } from 'vitest';
import { hold } from '../http/held.ts';
import {
  createHarness,
  type Harness,
  PASSWORD,
  type Reply,
  statuses,
  type TestUser,
} from '../support/harness.ts';
import {
  invite,
  leaveEverything,
  makeActive,
  newLicenseOf,
  newWebhookOf,
  standstillsUntil,
  tokenFor,
  untilBlocked,
} from './stage.ts';

/* A removal and something else at once end as if one had happened after the other. */

let h: Harness;
beforeAll(async () => {
  h = await createHarness();
  await h.user(); // the first account is the rootAdmin
});
afterAll(() => h[Symbol.asyncDispose]());

/** Starts the calls one after another while an account's row is held, and lets go once all of them wait. */
async function held(userId: string, calls: (() => Promise<Reply>)[]): Promise<Reply[]> {
  const started: Promise<Reply>[] = [];
  await h.sql.begin(async (tx) => {
    await tx`select 1 from users where id = ${userId} for update`;
    for (const call of calls) {
      started.push(call());
      await untilBlocked(h, started.length);
    }
  });
  return Promise.all(started);
}

const leave =
  (user: TestUser, deleteOrganizations = false) =>
  () =>
    user.post('user.remove', { userId: 'me', currentPassword: PASSWORD, deleteOrganizations });
const create = (user: TestUser) => () => user.post('organization.create', { name: 'Late' });
const exists = async (userId: string): Promise<boolean> =>
  (await h.sql`select 1 from users where id = ${userId}`).length === 1;

async function person(): Promise<TestUser> {
  const user = await h.user();
  await leaveEverything(h, user);
  return user;
}

test("one's own account goes once", async () => {
  const user = await person();
  const [first, second] = await held(user.id, [leave(user), leave(user)]);
  expect([first?.status, second?.status]).toEqual([200, 401]);
});

test("one's own account is not deleted by a password that is changed meanwhile", async () => {
  const user = await person();
  const [reply] = await h.race(
    user.id,
    [leave(user)],
    (tx) => tx`update accounts set password = 'another' where user_id = ${user.id}`,
    'users',
  );
  expect(reply).toMatchObject({ status: 400, body: { data: { reason: 'wrong_password' } } });
  expect(await exists(user.id)).toBe(true);
});

test('another account goes once', async () => {
  const [root, user] = [await person(), await person()];
  await h.sql`update users set role = 'rootAdmin' where id = ${root.id}`;
  const call = () => root.post('user.remove', { userId: user.id });
  expect(statuses(await held(user.id, [call, call]))).toEqual([200, 404]);
});

test('an organization founded first keeps its owner', async () => {
  const user = await person();
  const replies = await held(user.id, [create(user), leave(user)]);
  expect(replies.map(({ status }) => status)).toEqual([200, 412]);
  expect(await exists(user.id)).toBe(true);
});

test('an organization founded too late has no owner, and is none', async () => {
  const user = await person();
  const replies = await held(user.id, [leave(user), create(user)]);
  expect(replies.map(({ status }) => status)).toEqual([200, 401]);
});

test.each(['before', 'after'])(
  'an organization that somebody joins just %s is not taken along',
  async (order) => {
    const { id: organizationId, owner } = await h.organization(await person());
    const guest = await h.user();
    const { email } = await invite(owner, organizationId, guest.email);
    const token = await tokenFor(h, email);
    const accept = () => guest.post('invitation.accept', { token });
    const calls = order === 'before' ? [accept, leave(owner, true)] : [leave(owner, true), accept];
    const replies = await h.race(organizationId, calls);
    // Whoever comes first: never a member of nothing, never an organization without its owner.
    expect(['200,412', '200,404', '404,200', '412,200']).toContain(
      replies.map(({ status }) => status).join(),
    );
    const [{ members } = { members: -1 }] = await h.sql<{ members: number }[]>`
    select count(*)::int as members from memberships where organization_id = ${organizationId}`;
    expect(members).toBe((await exists(owner.id)) ? 2 : 0);
  },
);

test('of two rootAdmins who leave at once one stays', async () => {
  const two = [await person(), await person()];
  await h.sql`update users set role = 'user'`;
  await h.sql`update users set role = 'rootAdmin' where id in ${h.sql(two.map(({ id }) => id))}`;
  const [first] = [...two].sort((a, b) => (a.id < b.id ? -1 : 1));
  const replies = await held(
    first?.id ?? '',
    two.map((user) => leave(user)),
  );
  expect(statuses(replies)).toEqual([200, 412]);
  expect(await h.sql`select 1 from users where role = 'rootAdmin'`).toHaveLength(1);
});

test('an administrator who is one no more deletes nobody', async () => {
  const [admin, user] = [await person(), await person()];
  await h.sql`update users set role = 'admin' where id = ${admin.id}`;
  let reply: Promise<Reply> | undefined;
  await h.sql.begin(async (tx) => {
    await tx`update users set role = 'user' where id = ${admin.id}`;
    reply = admin.post('user.remove', { userId: user.id });
    await untilBlocked(h, 1);
  });
  expect((await reply)?.status).toBe(404);
  expect(await exists(user.id)).toBe(true);
});

test('a member goes once', async () => {
  const org = await h.organization();
  const member = await org.join('member');
  await makeActive(h, org.owner, org.id);
  const call = () => org.owner.post('user.remove', { userId: member.id });
  expect(statuses(await h.race(org.id, [call, call, call]))).toEqual([200, 404, 404]);
});

test('who is demoted meanwhile removes nobody', async () => {
  const org = await h.organization();
  const [admin, member] = [await org.join('admin'), await org.join('member')];
  const [reply] = await h.race(
    org.id,
    [() => admin.post('user.remove', { userId: member.id })],
    (tx) => tx`update memberships set role = 'member' where id = ${admin.memberId}`,
  );
  expect(reply?.status).toBe(403);
});

test('an inviter leaves while he invites', async () => {
  for (let round = 0; round < 5; round += 1) {
    const org = await h.organization();
    const admin = await org.join('admin');
    await h.sql`delete from organizations where owner_id = ${admin.id}`;
    const replies = await h.race(org.id, [
      () => admin.post('organization.inviteMember', { organizationId: org.id, email: 'a@example.org' }),
      leave(admin),
      () => admin.post('organization.inviteMember', { organizationId: org.id, email: 'b@example.org' }),
    ]);
    expect(replies.map(({ status }) => status).filter((status) => status >= 500)).toEqual([]);
    expect(await exists(admin.id)).toBe(false);
  }
});

/** Starts two calls one after the other while a row is held, and lets go once both wait. */
async function expectNoStandstill(
  statement: string,
  first: () => Promise<Reply>,
  second: () => Promise<Reply>,
) {
  const gate = await hold(h.databaseUrl, statement);
  const replies = [first()];
  await untilBlocked(h, 1);
  replies.push(second());
  await untilBlocked(h, 2);
  await gate.release();
  expect(await standstillsUntil(h, Promise.all(replies))).toBe(0);
  return Promise.all(replies);
}

test('an account and one of its keys go at once, and do not wait for each other', async () => {
  const user = await h.user();
  const { id: apiKeyId } = await h.key(user, { scope: 'user' });
  const replies = await expectNoStandstill(
    `select 1 from audit_chains c join organizations o using (id) where o.owner_id = '${user.id}' for update of c`,
    leave(user, true),
    () => user.post('apiKey.delete', { apiKeyId }),
  );
  expect(replies.map(({ status }) => status)).toEqual([200, 401]);
});

test('an organization goes while its webhooks are told of something, and neither waits for the other', async () => {
  const org = await h.organization();
  const member = await org.join('member');
  const { id: apiKeyId } = await h.key(member, { scope: 'user' });
  const [oldest, middle] = [await newWebhookOf(h, org.id), await newWebhookOf(h, org.id)];
  await newWebhookOf(h, org.id);
  // In the table they now stand the other way round, which is how PostgreSQL reads so few.
  for (const id of [middle, oldest])
    await h.sql`update webhooks set description = 'changed' where id = ${id}`;
  await h.sql`analyze webhooks`;
  const replies = await expectNoStandstill(
    `select 1 from webhooks where id = '${middle}' for update`,
    () => org.owner.post('organization.delete', { organizationId: org.id }),
    () => member.post('apiKey.rotate', { apiKeyId }),
  );
  expect(replies.map(({ status }) => status)).toEqual([200, 200]);
});

test('an organization goes while its license changes, and neither waits for the other', async () => {
  const [staff, org] = [await person(), await h.organization()];
  await h.sql`update users set role = 'admin' where id = ${staff.id}`;
  const { id: licenseId } = await newLicenseOf(h, org.id);
  const webhookId = await newWebhookOf(h, org.id);
  const replies = await expectNoStandstill(
    `select 1 from webhooks where id = '${webhookId}' for update`,
    () => org.owner.post('organization.delete', { organizationId: org.id }),
    () => staff.post('license.update', { licenseId, active: false }),
  );
  expect(replies.map(({ status }) => status)).toEqual([200, 200]);
});

test('an organization goes while a member makes a key there, and neither waits for the other', async () => {
  const org = await h.organization();
  const member = await org.join('member');
  const webhookId = await newWebhookOf(h, org.id);
  const replies = await expectNoStandstill(
    `select 1 from webhooks where id = '${webhookId}' for update`,
    () => member.post('apiKey.create', { name: 'late', organizationId: org.id }),
    () => org.owner.post('organization.delete', { organizationId: org.id }),
  );
  expect(replies.map(({ status }) => status)).toEqual([200, 200]);
  expect(await h.sql`select 1 from api_keys where organization_id = ${org.id}`).toEqual([]);
});
