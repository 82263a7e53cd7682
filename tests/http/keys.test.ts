import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { createKeyUsage } from '../../src/auth/usage.ts';
import {
  type Caller,
  createHarness,
  type Harness,
  httpCaller,
  statuses,
  type TestUser,
  times,
} from '../support/harness.ts';
import { hold } from './held.ts';
import { sendRaw } from './raw-socket.ts';

let h: Harness;
let ada: TestUser;
beforeAll(async () => {
  h = await createHarness();
  ada = await h.user();
});
afterAll(() => h[Symbol.asyncDispose]());

const MINUTE = 60_000;
const DAY_S = 86_400;
const call = (caller: Caller) => caller.get('user.session');
const outcome = async (caller: Caller) => {
  const { status, body } = await call(caller);
  return [status, body.data?.reason];
};

describe('a key that is refused says why', () => {
  async function expectRefused(caller: Caller, reason: string, message: string) {
    const plain = await call(caller);
    expect(plain.status).toBe(401);
    expect(plain.body).toEqual({
      message,
      code: 'UNAUTHORIZED',
      data: { code: 'UNAUTHORIZED', httpStatus: 401, path: 'user.session', reason },
    });
    const { status, body } = await caller.get('trpc/user.session');
    expect({ status, reason: body.error.json.data.reason }).toEqual({ status: 401, reason });
    expect(body.error.json.message).toBe(message);
  }

  test.each([
    '',
    'x',
    'tenantry_',
    `tenantry_${'A'.repeat(43)}`,
    'k'.repeat(8_000),
    "' or 1=1 --",
    '%00',
    'ключ',
  ])('unknown: %s', async (key) => {
    const caller = httpCaller(h.baseUrl, { 'x-api-key': Buffer.from(key).toString('latin1') });
    await expectRefused(caller, 'api_key_invalid', 'This API key is unknown or was revoked.');
  });

  test('revoked', async () => {
    const key = await h.key(ada);
    expect((await call(key)).status).toBe(200);
    await ada.post('apiKey.delete', { apiKeyId: key.id });
    await expectRefused(key, 'api_key_invalid', 'This API key is unknown or was revoked.');
  });

  test('revoked, also amid its own calls, which are looked up together', async () => {
    const key = await h.key(ada);
    let isRevoked = false;
    const outcomes: [sentAfter: boolean, status: number][] = [];
    const caller = async () => {
      for (let after = false; !after; ) {
        after = isRevoked;
        outcomes.push([after, (await call(key)).status]);
      }
    };
    const callers = times(16, caller);
    await vi.waitUntil(() => outcomes.length >= 50, { interval: 1, timeout: 10_000 });
    await ada.post('apiKey.delete', { apiKeyId: key.id });
    isRevoked = true;
    await Promise.all(callers);
    expect(outcomes.slice(0, 50)).toEqual(times(50, () => [false, 200]));
    expect(outcomes.filter(([after]) => after)).toEqual(times(16, () => [true, 401]));
  });

  test('expired, to the second', async () => {
    const key = await h.key(ada, { expiresIn: DAY_S });
    h.clock.advance((DAY_S - 5) * 1000);
    expect((await call(key)).status).toBe(200);
    h.clock.advance(5_000);
    await expectRefused(key, 'api_key_expired', 'This API key has expired.');
  });

  test('exhausted', async () => {
    const key = await h.key(ada, { remaining: 1 });
    expect((await call(key)).status).toBe(200);
    await expectRefused(key, 'api_key_exhausted', 'This API key has no requests left.');
    await expectRefused(
      await h.key(ada, { remaining: 0 }),
      'api_key_exhausted',
      'This API key has no requests left.',
    );
  });
});

describe('who is calling', () => {
  test('where a key and a cookie are sent, the key decides', async () => {
    const bob = await h.user();
    const { key } = await h.key(bob);
    const both = await call(httpCaller(h.baseUrl, { 'x-api-key': key, cookie: ada.cookie }));
    expect(both.body.user.id).toBe(bob.id);
    const bad = await call(httpCaller(h.baseUrl, { 'x-api-key': 'wrong', cookie: ada.cookie }));
    expect(bad.status).toBe(401);
  });

  test('a header’s case does not matter, and two keys are none', async () => {
    const { key } = await h.key(ada);
    const request = (headers: string) =>
      sendRaw(
        h.baseUrl,
        `GET /api/user.session HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${headers}\r\n\r\n`,
      );
    expect(await request(`X-API-KEY: ${key}`)).toMatch(/^HTTP\/1\.1 200 /);
    expect(await request(`x-api-key: ${key}\r\nX-Api-Key: ${key}`)).toMatch(/^HTTP\/1\.1 401 /);
  });

  test('a key needs no session cookie and sets none', async () => {
    const reply = await call(await h.key(ada));
    expect(reply.body.session.id).toBeNull();
    expect(reply.headers.get('set-cookie')).toBeNull();
  });

  test('a key is asked for by its hash: what the database stores opens nothing', async () => {
    const key = await h.key(ada);
    const [row] = await h.sql`select key_hash from api_keys where id = ${key.id}`;
    expect(row?.keyHash).not.toContain(key.key);
    expect(await outcome(httpCaller(h.baseUrl, { 'x-api-key': row?.keyHash }))).toEqual([
      401,
      'api_key_invalid',
    ]);
  });
});

describe('limits', () => {
  /** All callers are let go at the same moment: the row that counts them is held until each of them waits for it. */
  async function together(key: Caller & { id: string }, count: number) {
    const held = await hold(h.databaseUrl, `select 1 from api_keys where id = '${key.id}' for update`);
    const replies = Promise.all(times(count, () => call(key)));
    await held.waiters(count);
    await held.release();
    return replies;
  }

  test('32 callers, 5 requests left: 5 are served', async () => {
    const key = await h.key(ada, { remaining: 5 });
    const replies = await together(key, 32);
    expect(statuses(replies)).toEqual([...times(5, () => 200), ...times(27, () => 401)]);
    expect(await h.sql`select remaining from api_keys where id = ${key.id}`).toEqual([{ remaining: 0 }]);
  });

  test('32 callers, 5 requests a minute: 5 are served, the others are told when to come again', async () => {
    const key = await h.key(ada, { rateLimitEnabled: true, rateLimitMax: 5, rateLimitTimeWindow: MINUTE });
    const replies = await together(key, 32);
    expect(statuses(replies)).toEqual([...times(5, () => 200), ...times(27, () => 429)]);
    const refused = replies.find(({ status }) => status === 429);
    expect(refused?.body).toMatchObject({
      message: 'This API key is at its rate limit.',
      code: 'TOO_MANY_REQUESTS',
      data: { httpStatus: 429, reason: 'api_key_rate_limited' },
    });
    const retryAfter = Number(refused?.headers.get('retry-after'));
    expect(retryAfter).toBeGreaterThan(50);
    expect(retryAfter).toBeLessThanOrEqual(61); // the window may have begun after this caller came
    expect(refused?.headers.get('ratelimit')).toBe(`"api_key_rate_limited";r=0;t=${retryAfter}`);
    const trpc = await key.get('trpc/user.session');
    expect(trpc.status).toBe(429);
    expect(Number(trpc.headers.get('retry-after'))).toBeGreaterThan(50);
  });

  test('the next window has its own requests', async () => {
    const key = await h.key(ada, { rateLimitEnabled: true, rateLimitMax: 1, rateLimitTimeWindow: MINUTE });
    expect(await outcome(key)).toEqual([200, undefined]);
    expect(await outcome(key)).toEqual([429, 'api_key_rate_limited']);
    h.clock.advance(MINUTE - 5_000);
    expect((await call(key)).headers.get('retry-after')).toMatch(/^[45]$/);
    h.clock.advance(5_000);
    expect(statuses([await call(key), await call(key)])).toEqual([200, 429]);
  });

  test('a request that the rate limit refuses is not taken from those left', async () => {
    const limits = { rateLimitEnabled: true, rateLimitMax: 1, rateLimitTimeWindow: MINUTE, remaining: 2 };
    const key = await h.key(ada, limits);
    expect(statuses([await call(key), await call(key), await call(key)])).toEqual([200, 429, 429]);
    h.clock.advance(MINUTE);
    expect(await outcome(key)).toEqual([200, undefined]);
    h.clock.advance(MINUTE);
    expect(await outcome(key)).toEqual([401, 'api_key_exhausted']);
  });

  test('at its rate limit with a refill due, it is not said to be exhausted', async () => {
    const key = await h.key(ada, {
      ...{ rateLimitEnabled: true, rateLimitMax: 1, rateLimitTimeWindow: 10 * MINUTE },
      ...{ remaining: 1, refillAmount: 1, refillInterval: MINUTE },
    });
    expect(await outcome(key)).toEqual([200, undefined]);
    expect(await outcome(key)).toEqual([401, 'api_key_exhausted']);
    h.clock.advance(MINUTE);
    expect(await outcome(key)).toEqual([429, 'api_key_rate_limited']);
    h.clock.advance(9 * MINUTE);
    expect(await outcome(key)).toEqual([200, undefined]);
  });

  test('a limit that is switched off does not count', async () => {
    const key = await h.key(ada, { rateLimitEnabled: false, rateLimitMax: 1, rateLimitTimeWindow: MINUTE });
    expect(statuses([await call(key), await call(key), await call(key)])).toEqual([200, 200, 200]);
  });

  test('a refill comes once in its interval, and gives its amount', async () => {
    const key = await h.key(ada, { remaining: 1, refillAmount: 2, refillInterval: MINUTE });
    const three = async () => statuses([await call(key), await call(key), await call(key)]);
    expect(await three()).toEqual([200, 401, 401]);
    h.clock.advance(MINUTE);
    expect(await three()).toEqual([200, 200, 401]);
    h.clock.advance(5 * MINUTE);
    expect(await three()).toEqual([200, 200, 401]);
  });

  test('32 callers as a new window begins: 5 are served', async () => {
    const key = await h.key(ada, { rateLimitEnabled: true, rateLimitMax: 5, rateLimitTimeWindow: MINUTE });
    for (const _ of times(5, () => 0)) expect((await call(key)).status).toBe(200);
    h.clock.advance(MINUTE);
    expect(statuses(await together(key, 32))).toEqual([...times(5, () => 200), ...times(27, () => 429)]);
  });

  test('32 callers at a refill of 5: 5 are served', async () => {
    const key = await h.key(ada, { remaining: 0, refillAmount: 5, refillInterval: MINUTE });
    h.clock.advance(MINUTE);
    expect(statuses(await together(key, 32))).toEqual([...times(5, () => 200), ...times(27, () => 401)]);
  });

  test('a batch is one request', async () => {
    const key = await h.key(ada, { remaining: 1 });
    expect((await key.get('trpc/user.session,user.session,user.session?batch=1')).status).toBe(200);
  });
});

const lastUse = async (id: string): Promise<Date | null> => {
  const [row] = await h.sql<{ at: Date | null }[]>`select last_used_at as at from api_keys where id = ${id}`;
  return row?.at ?? null;
};

test('the last use is written without waiting for a key that is just being ended', async () => {
  const [key, other] = [await h.key(ada), await h.key(ada)];
  const held = await hold(h.databaseUrl, `delete from api_keys where id = '${key.id}'`);
  try {
    const usage = createKeyUsage(h.app.deps.db);
    const now = h.app.deps.now();
    for (const { id } of [key, other]) usage.seen(id, null, now);
    await usage.flush();
    expect(await lastUse(other.id)).toEqual(now);
  } finally {
    await held.release();
  }
});

test('the last use is written within seconds, and at most once a minute', { timeout: 60_000 }, async () => {
  const [key, other] = [await h.key(ada), await h.key(ada)];
  const written = (id: string, after: Date | null) =>
    expect.poll(() => lastUse(id), { timeout: 15_000 }).not.toEqual(after);

  await call(key);
  await written(key.id, null);
  const first = await lastUse(key.id);

  h.clock.advance(MINUTE - 20_000);
  await call(key);
  await call(other);
  await written(other.id, null); // what was noted for the first key would have been written along with it
  expect(await lastUse(key.id)).toEqual(first);

  h.clock.advance(20_000);
  await call(key);
  await written(key.id, first);
});
