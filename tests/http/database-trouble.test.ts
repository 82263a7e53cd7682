import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  type Caller,
  createHarness,
  type Harness,
  httpCaller,
  PASSWORD,
  type Reply,
  statuses,
  times,
  UNLIMITED,
} from '../support/harness.ts';
import { createProxiedDatabase } from './database-proxy.ts';
import { hold } from './held.ts';

function expectUnavailable(reply: Reply, reason: string) {
  const { data } = reply.body.error?.json ?? reply.body;
  expect({ status: reply.status, code: data.code, reason: data.reason }).toEqual({
    status: 503,
    code: 'SERVICE_UNAVAILABLE',
    reason,
  });
  expect(reply.headers.get('retry-after')).toBe('1');
  expect(reply.text).not.toMatch(/ECONN|postgres|select|127\.0\.0\.1/i);
}

async function timed<T>(task: Promise<T>): Promise<[T, number]> {
  const started = performance.now();
  return [await task, performance.now() - started];
}

describe('a database that is slow', () => {
  const POOL = 3;
  let h: Harness;
  beforeEach(async () => {
    h = await createHarness({ DATABASE_POOL_SIZE: String(POOL) });
  });
  afterEach(() => h[Symbol.asyncDispose]());

  test('every connection taken: requests are told in 2 s to come again, and served once there is room', async () => {
    const ada = await h.user();
    const sleeping = Promise.all(
      times(POOL, () => h.app.deps.db.query((sql) => sql`select pg_sleep(4) as slept`)),
    );
    const asleep = async () =>
      (
        await h.sql`select 1 from pg_stat_activity where datname = current_database() and wait_event = 'PgSleep'`
      ).length;
    await expect.poll(asleep, { timeout: 3_000 }).toBe(POOL);

    const calls = [
      ada.get('user.session'),
      ada.get('trpc/user.session'),
      ada.post('organization.create'),
      ada.get('auth/get-session'),
      ada.post('auth/sign-in/email', { email: ada.email, password: PASSWORD }),
    ];
    const [replies, ms] = await timed(Promise.all(calls));
    for (const reply of replies) expectUnavailable(reply, 'database_busy');
    expect(ms).toBeGreaterThan(1_900);
    expect(ms).toBeLessThan(4_000);
    expect((await ada.get('health')).status).toBe(404);
    expect((await ada.send('/health', {})).status).toBe(200);

    await sleeping;
    expect((await ada.get('user.session')).status).toBe(200);
  });

  test('a lock that does not come free: told in 2 s, nothing is changed, and all is well afterwards', async () => {
    const { owner, id } = await h.organization();
    const held = await hold(h.databaseUrl, `select 1 from organizations where id = '${id}' for update`);
    const rename = () => owner.post('organization.update', { organizationId: id, name: 'Renamed' });
    const [reply, ms] = await timed(rename());
    expectUnavailable(reply, 'database_timeout');
    expect(ms).toBeLessThan(4_000);
    await held.release();
    expect((await owner.get('organization.one', { organizationId: id })).body.name).toBe('Acme');
    expect((await rename()).status).toBe(200);
  });

  test('a statement that takes too long is given up', async () => {
    const ada = await h.user();
    await h.key(ada);
    await h.sql`alter table api_keys rename to kept`;
    await h.sql`create view api_keys as select kept.* from pg_sleep(20) cross join kept`;
    const [reply, ms] = await timed(ada.get('apiKey.all'));
    expectUnavailable(reply, 'database_timeout');
    expect(ms).toBeLessThan(8_000);
    expect((await ada.get('user.session')).status).toBe(200);
  });
});

test('a database that is migrated beside the service: no change fails by a plan of before', async () => {
  await using h = await createHarness({}, { rateLimiter: UNLIMITED });
  const { owner, id } = await h.organization();
  const renameAll = () =>
    Promise.all(
      times(8, (n) => owner.post('organization.update', { organizationId: id, name: `Acme ${n}` })),
    );
  expect(statuses(await renameAll())).toEqual(times(8, () => 200));
  await h.sql`alter table organizations add column later int`;
  await h.sql`alter table memberships add column later int`;
  for (const _round of times(3, (n) => n)) expect(statuses(await renameAll())).toEqual(times(8, () => 200));
});

describe('a database that is gone', () => {
  let database: Awaited<ReturnType<typeof createProxiedDatabase>>;
  let h: Harness;
  let ada: Caller;
  const account = { email: 'ada@example.org', password: PASSWORD };
  beforeEach(async () => {
    database = await createProxiedDatabase();
    h = await createHarness({ DATABASE_URL: database.url });
    const { headers } = await h.anonymous.post('auth/sign-up/email', { ...account, name: 'Ada' });
    ada = httpCaller(h.baseUrl, { cookie: headers.getSetCookie()[0]?.split(';')[0] ?? '' });
    expect((await ada.get('user.session')).status).toBe(200);
  });
  afterEach(async () => {
    await h[Symbol.asyncDispose]();
    await database[Symbol.asyncDispose]();
  });

  test('is said on every surface, and forgotten when it is back', async () => {
    database.cut();
    const replies = [
      await ada.get('user.session'),
      await ada.get('trpc/user.session'),
      await ada.post('organization.create', { name: 'Nowhere' }),
      await ada.get('auth/get-session'),
      await ada.post('auth/sign-out'),
      await h.anonymous.post('auth/sign-in/email', account),
      await h.anonymous.post('auth/sign-up/email', { ...account, email: 'bob@example.org', name: 'Bob' }),
      await httpCaller(h.baseUrl, { 'x-api-key': 'any' }).get('user.session'),
      await h.anonymous.send('/ready', {}),
    ];
    for (const reply of replies) expectUnavailable(reply, 'database_unavailable');
    expect((await h.anonymous.send('/health', {})).body).toEqual({ status: 'ok' });
    expect((await h.anonymous.get('settings.health')).status).toBe(200);

    await database.restore();
    await expect.poll(async () => (await ada.get('user.session')).status, { timeout: 10_000 }).toBe(200);
    expect((await h.anonymous.post('auth/sign-in/email', account)).status).toBe(200);
    expect((await h.anonymous.send('/ready', {})).body).toEqual({ status: 'ok' });
  });

  test.each([
    ['refuses connections', () => database.cut()],
    ['takes connections and ends them', () => database.standEmpty()],
  ])(
    'for long (%s): requests are told as soon as at first, and served once it is back',
    async (_how, lose) => {
      const callAll = () => timed(Promise.all(times(40, () => ada.get('user.session'))));
      await lose();
      for (const _round of times(3, (n) => n)) {
        const [replies, ms] = await callAll();
        expect(statuses(replies)).toEqual(times(40, () => 503));
        expect(ms).toBeLessThan(5_000);
      }
      await database.restore();
      const [replies, ms] = await callAll();
      expect(statuses(replies)).toEqual(times(40, () => 200));
      expect(ms).toBeLessThan(5_000);
    },
  );

  test.each(['close', 'reset'] as const)(
    'while a connection is being made (%s): the service goes on',
    async (how) => {
      database.cut();
      await database.restore();
      database.cutAt('typarray', how); // what the driver asks before its first statement
      const replies = await Promise.all(times(20, () => ada.get('user.session')));
      for (const reply of replies.filter(({ status }) => status !== 200)) {
        expectUnavailable(reply, 'database_unavailable');
      }
      await expect.poll(async () => (await ada.get('user.session')).status, { timeout: 10_000 }).toBe(200);
    },
  );

  test('without saying so: readiness does not wait for it', async () => {
    database.freeze();
    const [reply, ms] = await timed(h.anonymous.send('/ready', {}));
    expectUnavailable(reply, 'database_unavailable');
    expect(ms).toBeLessThan(4_000);
    database.cut(); // or the end would wait for it
  });
});
