import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ensureRootAdmin } from '../../src/domain/account/index.ts';
import { createHarness, type Harness, httpCaller, PASSWORD, statuses, times } from '../support/harness.ts';
import { invite, newAddress, tokenFor, untilBlocked } from './stage.ts';

let h: Harness;
beforeAll(async () => {
  h = await createHarness();
  await h.user(); // the rootAdmin
});
afterAll(() => h[Symbol.asyncDispose]());

const signUp = (at: Harness, input: Record<string, unknown>) =>
  at.anonymous.post('auth/sign-up/email', { password: PASSWORD, name: 'Ada', ...input });
const signIn = (at: Harness, email: string, password = PASSWORD) =>
  at.anonymous.post('auth/sign-in/email', { email, password });

/** A caller with the session that an answer has set. */
const sessionOf = (at: Harness, { headers }: Awaited<ReturnType<typeof signUp>>) =>
  httpCaller(at.baseUrl, { cookie: headers.getSetCookie().join('; ').split(';')[0] ?? '' });

const rolesIn = async (at: Harness): Promise<string[]> =>
  (await at.sql<{ role: string }[]>`select role from users order by role`).map(({ role }) => role);
const accountOf = async (email: string) =>
  (await h.sql`select id, role, email_verified from users where email = ${email}`)[0];

describe('the first account', () => {
  test('is the rootAdmin: of 3 sign-ups that have all begun before the first one ends, one', async () => {
    await using empty = await createHarness();
    const { started } = await empty.sql.begin(async (tx) => {
      await tx`lock table users in exclusive mode`; // lets them read that there are no users
      const replies = Promise.all(times(3, (n) => signUp(empty, { email: `a${n}@example.org` })));
      await untilBlocked(empty, 3);
      return { started: replies };
    });
    expect(statuses(await started)).toEqual(times(3, () => 200));
    expect(await rolesIn(empty)).toEqual(['rootAdmin', 'user', 'user']);
  });

  test('of one address at once is one account', async () => {
    await using empty = await createHarness();
    const replies = await Promise.all(times(6, () => signUp(empty, { email: 'ada@example.org' })));
    expect(statuses(replies)).toEqual([200, 409, 409, 409, 409, 409]);
    expect(await rolesIn(empty)).toEqual(['rootAdmin']);
    expect(await empty.sql`select 1 from organizations`).toHaveLength(1);
  });
});

describe('ROOT_EMAIL and ROOT_PASSWORD', () => {
  const root = { email: 'root@example.org', password: 'Another-horse-2' };

  test('make the first account at the first start, verified', async () => {
    await using made = await createHarness({ ROOT_EMAIL: ' Root@Example.org', ROOT_PASSWORD: root.password });
    expect(await rolesIn(made)).toEqual(['rootAdmin']);
    const caller = sessionOf(made, await signIn(made, root.email, root.password));
    expect((await caller.get('user.one', { userId: 'me' })).body).toMatchObject({
      email: root.email,
      role: 'rootAdmin',
      emailVerified: true,
    });
    expect((await caller.get('organization.all')).body).toHaveLength(1);
    expect((await signUp(made, { email: 'ada@example.org' })).status).toBe(200);
    expect(await rolesIn(made)).toEqual(['rootAdmin', 'user']);
  });

  test('change nothing at a later start', async () => {
    await using made = await createHarness({ ROOT_EMAIL: root.email, ROOT_PASSWORD: root.password });
    const { deps } = made.app;
    expect(await ensureRootAdmin(deps, { ...root, password: 'Changed-horse-3' })).toBe(false);
    expect(await ensureRootAdmin(deps, { ...root, email: 'other@example.org' })).toBe(false);
    expect(await rolesIn(made)).toEqual(['rootAdmin']);
    expect((await signIn(made, root.email, root.password)).status).toBe(200);
    expect((await signIn(made, root.email, 'Changed-horse-3')).status).toBe(401);
  });

  test('leave an installation alone that has accounts', async () => {
    expect(await ensureRootAdmin(h.app.deps, root)).toBe(false);
    expect(await accountOf(root.email)).toBeUndefined();
  });

  test('make one account when many processes start at once, and none of them fails', async () => {
    await using empty = await createHarness();
    const made = await Promise.all(times(8, () => ensureRootAdmin(empty.app.deps, root)));
    expect(made.filter(Boolean)).toHaveLength(1);
    expect(await rolesIn(empty)).toEqual(['rootAdmin']);
  });

  test('or somebody who signs up meanwhile is the rootAdmin, never both and never none', async () => {
    await using empty = await createHarness();
    const [made] = await Promise.all([
      ensureRootAdmin(empty.app.deps, root),
      ...times(4, (n) => signUp(empty, { email: `a${n}@example.org` })),
    ]);
    expect(await rolesIn(empty)).toEqual(['rootAdmin', ...times(made ? 4 : 3, () => 'user')]);
    const [first] = await empty.sql<{ email: string }[]>`select email from users where role = 'rootAdmin'`;
    expect(first?.email === root.email).toBe(made);
  });

  test('with a weak password stop the start', async () => {
    await using empty = await createHarness();
    const made = ensureRootAdmin(empty.app.deps, { ...root, password: 'secret' });
    await expect(made).rejects.toMatchObject({ code: 'BAD_REQUEST', reason: 'weak_password' });
    expect(await rolesIn(empty)).toEqual([]);
  });
});

describe('signing up', () => {
  test('signs in and makes a personal organization, the default one', async () => {
    const email = newAddress();
    const reply = await signUp(h, { email: ` ${email.toUpperCase()} `, name: 'Ada Lovelace' });
    expect(reply.status).toBe(200);
    const ada = sessionOf(h, reply);
    expect((await ada.get('user.one', { userId: 'me' })).body).toMatchObject({
      email,
      role: 'user',
      emailVerified: false,
    });
    const { body } = await ada.get('organization.all');
    expect(body).toMatchObject([
      {
        name: "Ada Lovelace's organization",
        role: 'owner',
        handle: 'ada-lovelaces-organization.tenantry.internal',
        members: [{ role: 'owner', isDefault: true }],
      },
    ]);
  });

  test.each(['a'.repeat(128), '🦊'.repeat(64), `${'a'.repeat(48)}🦊🦊`])(
    'gives it a name that it could be given by hand: %s',
    async (name) => {
      const ada = sessionOf(h, await signUp(h, { email: newAddress(), name }));
      const [{ id, name: own }] = (await ada.get('organization.all')).body;
      const { status, body } = await ada.post('organization.update', { organizationId: id, name: own });
      expect([status, body.name]).toEqual([200, own]);
      expect(own).toMatch(/'s organization$/);
    },
  );

  test('writes nothing but what a new account may say of itself', async () => {
    const email = newAddress();
    const protectedFields = { role: 'rootAdmin', emailVerified: true, id: 'x', image: 'x' };
    expect((await signUp(h, { email, ...protectedFields })).status).toBe(200);
    expect(await accountOf(email)).toMatchObject({ role: 'user', emailVerified: false });
  });

  test('with the address of another account is 409, in whatever case', async () => {
    const { email } = await h.user();
    const { status, body } = await signUp(h, { email: email.toUpperCase() });
    expect([status, body.data.reason]).toEqual([409, 'email_taken']);
  });

  test.each([
    ['short', 'Aa1!aaa', 'weak_password'],
    ['without an upper-case letter', 'correct-horse-1', 'weak_password'],
    ['without a lower-case letter', 'CORRECT-HORSE-1', 'weak_password'],
    ['without a digit', 'Correct-horse', 'weak_password'],
    ['without a symbol', 'Correcthorse1', 'weak_password'],
    ['long', `Aa1!${'a'.repeat(125)}`, 'invalid_input'],
  ])('with a password that is %s is 400', async (_, password, reason) => {
    const email = newAddress();
    const { status, body } = await signUp(h, { email, password });
    expect([status, body.data.reason, body.issues[0].path]).toEqual([400, reason, ['password']]);
    expect(await accountOf(email)).toBeUndefined();
  });

  test('leaves no account when its organization cannot be made', async () => {
    await h.sql`create function refuse() returns trigger language plpgsql as $$ begin raise 'no'; end $$`;
    await h.sql`create trigger refuse before insert on memberships execute function refuse()`;
    const email = newAddress();
    try {
      expect((await signUp(h, { email })).status).toBe(500);
    } finally {
      await h.sql`drop trigger refuse on memberships`;
    }
    expect(await accountOf(email)).toBeUndefined();
    expect((await signUp(h, { email })).status).toBe(200);
  });
});

describe('signing up by an invitation', () => {
  async function invited(role = 'member') {
    const organization = await h.organization();
    const { email } = await invite(organization.owner, organization.id, newAddress(), role);
    return { ...organization, email, invitationToken: await tokenFor(h, email) };
  }

  test.each(['admin', 'member'])('joins as %s and makes no personal organization', async (role) => {
    const { id, email, invitationToken } = await invited(role);
    const reply = await signUp(h, { email: email.toUpperCase(), invitationToken });
    expect(reply.status).toBe(200);
    const guest = sessionOf(h, reply);
    expect((await guest.get('organization.all')).body).toMatchObject([
      { id, role, members: [{ role, isDefault: true }] },
    ]);
    expect((await guest.get('organization.active')).body.id).toBe(id);
    // The link may have been handed over by the inviter: it proves no address.
    expect((await guest.get('user.one', { userId: 'me' })).body.emailVerified).toBe(false);
    expect((await guest.post('invitation.accept', { token: invitationToken })).status).toBe(404);
  });

  test('makes no account when the invitation opens nothing', async () => {
    const { id, owner, email, invitationToken } = await invited();
    const stranger = newAddress();
    const [{ id: invitationId }] = (await owner.get('organization.allInvitations', { organizationId: id }))
      .body;
    const tries = [
      { input: { email: stranger, invitationToken }, expected: [403, 'invitation_for_another_address'] },
      { input: { email, invitationToken: 'x'.repeat(43) }, expected: [404, 'invitation_not_found'] },
      { input: { email, invitationToken: invitationId }, expected: [404, 'invitation_not_found'] },
    ];
    for (const { input, expected } of tries) {
      const { status, body } = await signUp(h, input);
      expect([status, body.data.reason]).toEqual(expected);
      expect(await accountOf(input.email)).toBeUndefined();
    }
    h.clock.advance(49 * 3_600_000);
    const late = await signUp(h, { email, invitationToken });
    expect([late.status, late.body.data.reason]).toEqual([412, 'invitation_expired']);
    expect(await accountOf(email)).toBeUndefined();
  });
});
