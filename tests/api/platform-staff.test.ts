import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { newId } from '../../src/kernel/ids.ts';
import type { PlatformRole } from '../../src/kernel/permissions.ts';
import { createHarness, type Harness, httpCaller, PASSWORD, type TestUser } from '../support/harness.ts';
import { askForLink, expectInvalidLink, mailsTo, tokenOf } from '../support/links.ts';

/* What platform staff do with the accounts of others: never on an equal or higher rank. */

let h: Harness;
let root: TestUser;
beforeAll(async () => {
  h = await createHarness();
  root = await h.user();
});
afterAll(() => h[Symbol.asyncDispose]());

async function person(role: PlatformRole): Promise<TestUser> {
  const user = await h.user();
  await h.sql`update users set role = ${role} where id = ${user.id}`;
  return user;
}
const signIn = ({ email }: TestUser) => h.anonymous.post('auth/sign-in/email', { email, password: PASSWORD });

describe('user.suspend', () => {
  test('refuses the cookie, the key and the password from the next request on, until it is lifted', async () => {
    const [staff, ada] = [await person('staff'), await h.user()];
    const key = await h.key(ada, { scope: 'user' });
    const elsewhere = httpCaller(h.baseUrl, { cookie: await h.signIn(ada.id) });
    const { status, body } = await staff.post('user.suspend', { userId: ada.id, reason: 'Spam' });
    expect([status, body.suspended]).toEqual([200, true]);

    for (const caller of [ada, elsewhere, key]) expect((await caller.get('user.session')).status).toBe(401);
    expect((await key.get('user.session')).body.data.reason).toBe('account_suspended');
    const refused = await signIn(ada);
    expect([refused.status, refused.body.data.reason]).toEqual([403, 'account_suspended']);
    const wrong = { email: ada.email, password: 'Wrong-horse-1' };
    expect((await h.anonymous.post('auth/sign-in/email', wrong)).status).toBe(401);
    const mail = (await mailsTo(h, ada.email)).at(-1);
    expect(mail).toMatchObject({ subject: 'Your account is suspended' });
    expect(mail?.text).toContain('Spam');

    expect((await staff.post('user.unsuspend', { userId: ada.id })).body.suspended).toBe(false);
    expect((await key.get('user.session')).status).toBe(200);
    expect((await ada.get('user.session')).status).toBe(401); // sessions are opened anew
    expect((await signIn(ada)).status).toBe(200);
  });

  test('ends open links: they open nothing when it is lifted', async () => {
    const ada = await h.user();
    const token = tokenOf(await askForLink(h, ada.email, 'reset'));
    await root.post('user.suspend', { userId: ada.id });
    await root.post('user.unsuspend', { userId: ada.id });
    const newPassword = 'Better-horse-2';
    expectInvalidLink(await h.anonymous.post('auth/reset-password', { token, newPassword }));
  });

  test('is said once, and lifted only where it was', async () => {
    const ada = await h.user();
    const input = { userId: ada.id };
    const reasonOf = async (name: string) => (await root.post(name, input)).body.data?.reason;
    expect(await reasonOf('user.unsuspend')).toBe('not_suspended');
    expect(await reasonOf('user.suspend')).toBeUndefined();
    expect(await reasonOf('user.suspend')).toBe('already_suspended');
  });
});

const ROLES: PlatformRole[] = ['user', 'staff', 'admin', 'rootAdmin'];

describe('ranks', () => {
  const cases = ROLES.flatMap((actor) => ROLES.map((target) => ({ actor, target })));
  test.each(cases)('a $actor suspends a $target only from above', async ({ actor, target }) => {
    const [by, of] = [await person(actor), await person(target)];
    const { status } = await by.post('user.suspend', { userId: of.id });
    const allowed = actor !== 'user' && ROLES.indexOf(actor) > ROLES.indexOf(target);
    expect(status).toBe(allowed ? 200 : 403);
  });

  test.each(cases)('a $actor makes somebody $target only below himself', async ({ actor, target: role }) => {
    const [by, of] = [await person(actor), await h.user()];
    const { status } = await by.post('user.setPlatformRole', { userId: of.id, role });
    const mayGive = actor === 'admin' || actor === 'rootAdmin';
    expect(status).toBe(mayGive && ROLES.indexOf(actor) > ROLES.indexOf(role) ? 200 : 403);
  });

  test('nobody acts on himself, not even the rootAdmin', async () => {
    expect((await root.post('user.suspend', { userId: root.id })).status).toBe(403);
    const { status } = await root.post('user.setPlatformRole', { userId: root.id, role: 'user' });
    expect(status).toBe(403);
  });

  test('who was demoted a moment ago acts no more', async () => {
    const [admin, ada] = [await person('admin'), await h.user()];
    await root.post('user.setPlatformRole', { userId: admin.id, role: 'user' });
    expect((await admin.post('user.suspend', { userId: ada.id })).status).toBe(403);
  });

  test('an unknown account is 404', async () => {
    for (const name of ['user.suspend', 'user.unsuspend']) {
      expect((await root.post(name, { userId: newId() })).status).toBe(404);
    }
  });
});
