import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createSessionUsage } from '../../src/auth/usage.ts';
import { hold } from '../http/held.ts';
import { browser, SESSION_COOKIE } from '../support/browser.ts';
import { createHarness, type Harness, PASSWORD, type TestUser } from '../support/harness.ts';

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

let h: Harness;
let root: TestUser;
beforeAll(async () => {
  h = await createHarness({ TRUSTED_PROXIES: '127.0.0.1' });
  root = await h.user(); // the first account is rootAdmin
});
afterAll(() => h[Symbol.asyncDispose]());

/** Somebody signed in from a new address, in a browser of his own. */
let addresses = 0;
async function signedIn(user: TestUser, more: object = {}) {
  const address = `2001:db8:${(++addresses).toString(16)}::1`;
  const visitor = browser(h, { 'x-forwarded-for': address, 'user-agent': `Browser ${address}` });
  expect((await visitor.signIn(user.email, PASSWORD, more)).status).toBe(200);
  return { ...visitor, address };
}
async function account(): Promise<TestUser> {
  const user = await h.user();
  await h.sql`delete from sessions where user_id = ${user.id}`;
  return user;
}
type Row = { id: string; token: string; lastSeenAt: Date; createdAt: Date; expiresAt: Date };
const rowsOf = ({ id }: TestUser) => h.sql<Row[]>`
  select id, token, last_seen_at, created_at, expires_at from sessions where user_id = ${id} order by id`;
async function onlyRowOf(user: TestUser): Promise<Row> {
  const [row] = await rowsOf(user);
  if (row === undefined) throw new Error('There is no session.');
  return row;
}

describe('session.all', () => {
  test('lists where an account is signed in, newest first, says which is this, and shows no token', async () => {
    const user = await account();
    const first = await signedIn(user);
    const second = await signedIn(user, { rememberMe: false });
    const { status, body, text } = await first.get('session.all');
    expect(status).toBe(200);
    const moment = expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]{12}Z$/);
    const entry = (visitor: typeof first, current: boolean) => ({
      id: expect.any(String),
      userId: user.id,
      ipAddress: visitor.address,
      userAgent: `Browser ${visitor.address}`,
      lastSeenAt: moment,
      createdAt: moment,
      updatedAt: moment,
      expiresAt: moment,
      current,
    });
    expect(body).toEqual({ items: [entry(second, false), entry(first, true)], nextCursor: null });
    for (const { token } of await rowsOf(user)) expect(text).not.toContain(token);

    const page = await first.get('session.all', { limit: 1 });
    expect(page.body.items).toHaveLength(1);
    const rest = await first.get('session.all', { limit: 1, cursor: page.body.nextCursor });
    expect(rest.body.items).toMatchObject([{ id: body.items[1].id }]);
  });

  test('leaves out those that are over', async () => {
    const user = await account();
    const visitor = await signedIn(user);
    await signedIn(user);
    await h.sql`update sessions set expires_at = now() - interval '1 second'
      where user_id = ${user.id} and ip_address <> ${visitor.address}`;
    expect((await visitor.get('session.all')).body.items).toMatchObject([{ current: true }]);
  });

  test('lists anybody’s for platform staff, none of them the asker’s own', async () => {
    const user = await account();
    await signedIn(user);
    const { body } = await root.get('session.all', { userId: user.id });
    expect(body.items).toMatchObject([{ userId: user.id, current: false }]);
  });

  test('of somebody else is missing to everybody else, as is an account that does not exist', async () => {
    const [user, other] = [await account(), await h.user()];
    await signedIn(user);
    const foreign = await other.get('session.all', { userId: user.id });
    const absent = await other.get('session.all', { userId: '00000000-0000-7000-8000-000000000000' });
    expect([foreign.status, absent.status]).toEqual([404, 404]);
    expect(foreign.text).toBe(absent.text);
    expect((await root.get('session.all', { userId: '00000000-0000-7000-8000-000000000000' })).text).toBe(
      absent.text,
    );
  });
});

describe('session.revoke', () => {
  test('ends one session at once, and no other', async () => {
    const user = await account();
    const [lost, kept] = [await signedIn(user), await signedIn(user)];
    const { body } = await kept.get('session.all');
    const { id } = body.items.find(({ current }: { current: boolean }) => !current);
    expect((await kept.post('session.revoke', { sessionId: id })).body).toEqual({ success: true });
    expect((await lost.get('user.session')).status).toBe(401);
    expect((await lost.get('auth/get-session')).text).toBe('null');
    expect((await kept.get('user.session')).status).toBe(200);
    expect((await kept.post('session.revoke', { sessionId: id })).status).toBe(404);
  });

  test('of somebody else’s is missing, also for staff, as is one that does not exist', async () => {
    const [user, other] = [await account(), await h.user()];
    await signedIn(user);
    const { id: sessionId } = await onlyRowOf(user);
    const absent = await other.post('session.revoke', { sessionId: '00000000-0000-7000-8000-000000000000' });
    expect(absent.status).toBe(404);
    for (const caller of [other, root]) {
      expect((await caller.post('session.revoke', { sessionId })).text).toBe(absent.text);
    }
    expect(await rowsOf(user)).toHaveLength(1);
  });
});

describe('session.logout', () => {
  test('ends this session and clears its cookie', async () => {
    const user = await account();
    const [visitor, kept] = [await signedIn(user), await signedIn(user)];
    const before = visitor.cookies.get(SESSION_COOKIE);
    const { status, headers } = await visitor.post('session.logout');
    expect(status).toBe(200);
    expect(headers.getSetCookie().join()).toMatch(
      /^better-auth\.session_token=; Max-Age=0; Path=\/; HttpOnly/,
    );
    const replayed = await h.anonymous.send('/api/user.session', {
      headers: { cookie: `${SESSION_COOKIE}=${before}` },
    });
    expect(replayed.status).toBe(401);
    expect((await kept.get('user.session')).status).toBe(200);
  });

  test('is nothing for an API key, which has no session', async () => {
    const key = await h.key(await h.user(), { scope: 'user' });
    const { status, body } = await key.post('session.logout');
    expect({ status, reason: body.data.reason }).toEqual({ status: 412, reason: 'no_session' });
  });
});

test('what is left of a session goes thirty days after it began, when somebody signs in', async () => {
  const [gone, recent] = [await account(), await account()];
  await signedIn(gone);
  await signedIn(recent);
  await h.sql`update sessions set created_at = now() - interval '30 days' where user_id = ${gone.id}`;
  await h.sql`update sessions set created_at = now() - interval '29 days' where user_id = ${recent.id}`;
  await signedIn(await account());
  expect(await rowsOf(gone)).toHaveLength(0);
  expect(await rowsOf(recent)).toHaveLength(1);
});

test('session.logoutAll ends every session, clears the cookie, and leaves API keys', async () => {
  const user = await h.user();
  const key = await h.key(user, { scope: 'user' });
  const [first, second] = [await signedIn(user), await signedIn(user)];
  const { headers } = await first.post('session.logoutAll');
  expect(headers.getSetCookie().join()).toContain('session_token=; Max-Age=0');
  for (const caller of [user, first, second]) expect((await caller.get('user.session')).status).toBe(401);
  expect((await key.get('user.session')).status).toBe(200);
});

describe('use of a session', () => {
  const usage = () => createSessionUsage(h.app.deps.db);
  /** Notes a use so long after the session was opened, and writes it down. */
  async function used(user: TestUser, afterMs: number): Promise<Row> {
    const { id, lastSeenAt, createdAt } = await onlyRowOf(user);
    const noted = usage();
    noted.seen(id, lastSeenAt, new Date(createdAt.getTime() + afterMs));
    await noted.flush();
    return onlyRowOf(user);
  }
  const lifeOf = ({ createdAt, expiresAt }: Row) => expiresAt.getTime() - createdAt.getTime();
  const seenAfter = ({ createdAt, lastSeenAt }: Row) => lastSeenAt.getTime() - createdAt.getTime();

  test('is written down at most once a minute', async () => {
    const user = await account();
    await signedIn(user);
    expect(seenAfter(await used(user, MINUTE - 1))).toBe(0);
    expect(seenAfter(await used(user, MINUTE))).toBe(MINUTE);
    expect(seenAfter(await used(user, MINUTE / 2))).toBe(MINUTE);
  });

  test('has it last seven days more, and thirty in all', async () => {
    const user = await account();
    await signedIn(user);
    expect(lifeOf(await onlyRowOf(user))).toBe(7 * DAY);
    expect(lifeOf(await used(user, 3 * DAY))).toBe(10 * DAY);
    expect(lifeOf(await used(user, 9 * DAY))).toBe(16 * DAY);
    expect(lifeOf(await used(user, 29 * DAY))).toBe(30 * DAY);
  });

  test('does not prolong one that is not to be remembered: it lasts a day', async () => {
    const user = await account();
    await signedIn(user, { rememberMe: false });
    const row = await used(user, DAY / 2);
    expect({ life: lifeOf(row), seen: seenAfter(row) }).toEqual({ life: DAY, seen: DAY / 2 });
  });

  test('is written without waiting for a session that is just being ended', async () => {
    const [user, other] = [await account(), await account()];
    await signedIn(user);
    await signedIn(other);
    const rows = [await onlyRowOf(user), await onlyRowOf(other)] as const;
    const held = await hold(h.databaseUrl, `delete from sessions where id = '${rows[0].id}'`);
    try {
      const noted = usage();
      for (const { id, createdAt } of rows) noted.seen(id, null, new Date(createdAt.getTime() + MINUTE));
      await noted.flush();
      expect(seenAfter(await onlyRowOf(other))).toBe(MINUTE);
    } finally {
      await held.release();
    }
  });

  test('is noted on every surface', async () => {
    const user = await account();
    const visitor = await signedIn(user);
    for (const path of ['user.session', 'trpc/user.session', 'auth/get-session']) {
      const before = await onlyRowOf(user);
      h.clock.advance(2 * MINUTE);
      expect((await visitor.get(path)).status).toBe(200);
      await expect
        .poll(async () => (await onlyRowOf(user)).lastSeenAt > before.lastSeenAt, { timeout: 10_000 })
        .toBe(true);
    }
  });
});
