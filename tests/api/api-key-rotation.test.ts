import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { newId } from '../../src/kernel/ids.ts';
import { hashSecret } from '../../src/kernel/secrets.ts';
import { type Caller, createHarness, type Harness, httpCaller, type TestUser } from '../support/harness.ts';

let h: Harness;
beforeAll(async () => {
  h = await createHarness();
  await h.user(); // the rootAdmin
});
afterAll(() => h[Symbol.asyncDispose]());

const HOUR_MS = 3_600_000;
const OK = [200, undefined];
const ROTATED = [401, 'api_key_rotated'];
const INVALID = [401, 'api_key_invalid'];

const outcomeOf = async (caller: Caller) => {
  const { status, body } = await caller.get('apiKey.whoami');
  return [status, body.data?.reason];
};
const withKey = (key: string) => httpCaller(h.baseUrl, { 'x-api-key': key });
const rotate = (by: Pick<Caller, 'post'>, apiKeyId: string, overlapSeconds?: number) =>
  by.post('apiKey.rotate', { apiKeyId, overlapSeconds });

/** Rotates, and gives the new secret's caller. */
async function renew(holder: TestUser, apiKeyId: string, overlapSeconds?: number) {
  const { status, body, text } = await rotate(holder, apiKeyId, overlapSeconds);
  expect(status, text).toBe(200);
  return withKey(body.key);
}

describe('a rotation', () => {
  test('changes the secret and nothing else', async () => {
    const ada = await h.user();
    const input = {
      prefix: 'acme_',
      permissions: ['organization:read'],
      allowedIps: ['127.0.0.1'],
      expiresIn: 90_000,
      rateLimitMax: 50,
      rateLimitTimeWindow: 60_000,
      remaining: 40,
      refillAmount: 1,
      refillInterval: HOUR_MS,
    };
    const { body: made } = await ada.post('apiKey.create', { name: 'deploy', ...input });
    await outcomeOf(withKey(made.key));
    const { body } = await rotate(ada, made.id);
    expect(body.key).toMatch(/^acme_[\w-]{43}$/);
    expect(body.key).not.toBe(made.key);
    expect(body.start).toBe(body.key.slice(0, 11));
    const { key, start, previousKeyExpiresAt, lastUsedAt, ...rest } = body;
    expect(made).toMatchObject({ ...rest, remaining: 40 });
    expect(rest.remaining).toBe(39);
    const [listed] = (await ada.get('apiKey.all')).body.items;
    expect(listed).toEqual({ ...rest, start, previousKeyExpiresAt, lastUsedAt });
    expect((await withKey(key).get('apiKey.whoami')).body).toMatchObject({
      apiKeyId: made.id,
      remaining: 38,
    });
  });

  test('keeps the secret before for a day, and then says why it ends', async () => {
    const ada = await h.user();
    const old = await h.key(ada);
    const renewed = await renew(ada, old.id);
    expect(await outcomeOf(old)).toEqual(OK);
    h.clock.advance(24 * HOUR_MS - 5000);
    expect(await outcomeOf(old)).toEqual(OK);
    h.clock.advance(5000);
    expect(await outcomeOf(old)).toEqual(ROTATED);
    expect((await old.get('apiKey.whoami')).body.message).toBe('This API key was replaced by a new one.');
    expect(await outcomeOf(renewed)).toEqual(OK);
  });

  test('without an overlap ends the secret before at once', async () => {
    const ada = await h.user();
    const old = await h.key(ada);
    const renewed = await renew(ada, old.id, 0);
    expect(await outcomeOf(old)).toEqual(ROTATED);
    expect(await outcomeOf(renewed)).toEqual(OK);
  });

  test('during an overlap ends the oldest at once', async () => {
    const ada = await h.user();
    const first = await h.key(ada);
    const second = await renew(ada, first.id);
    const third = await renew(ada, first.id);
    expect([await outcomeOf(first), await outcomeOf(second), await outcomeOf(third)]).toEqual([
      INVALID,
      OK,
      OK,
    ]);
  });

  test('at once many times leaves the last two', async () => {
    const ada = await h.user();
    const { id } = await h.key(ada);
    const replies = await Promise.all(Array.from({ length: 8 }, () => rotate(ada, id)));
    expect(replies.map(({ status }) => status)).toEqual(Array(8).fill(200));
    const outcomes = await Promise.all(replies.map(({ body }) => outcomeOf(withKey(body.key))));
    expect(outcomes.filter(([status]) => status === 200)).toHaveLength(2);
  });

  test('is over with the key: deleting it ends both secrets', async () => {
    const ada = await h.user();
    const old = await h.key(ada);
    const renewed = await renew(ada, old.id);
    await ada.post('apiKey.delete', { apiKeyId: old.id });
    expect([await outcomeOf(old), await outcomeOf(renewed)]).toEqual([INVALID, INVALID]);
  });

  test('counts both secrets together', async () => {
    const ada = await h.user();
    const old = await h.key(ada, { remaining: 3 });
    const renewed = await renew(ada, old.id);
    for (const caller of [old, renewed, old]) expect(await outcomeOf(caller)).toEqual(OK);
    expect(await outcomeOf(renewed)).toEqual([401, 'api_key_exhausted']);
    expect(await outcomeOf(old)).toEqual([401, 'api_key_exhausted']);
  });

  test('takes nothing from those left where the secret has ended', async () => {
    const ada = await h.user();
    const old = await h.key(ada, { remaining: 1 });
    const renewed = await renew(ada, old.id, 0);
    for (let call = 0; call < 3; call += 1) expect(await outcomeOf(old)).toEqual(ROTATED);
    expect(await outcomeOf(renewed)).toEqual(OK);
  });

  test('is written down without secret or hash', async () => {
    const ada = await h.user();
    const { id: organizationId } = (await ada.get('organization.active')).body;
    const old = await h.key(ada);
    const { body } = await rotate(ada, old.id, 60);
    const rows =
      await h.sql`select to_jsonb(a) as row from audit_log a where resource_id = ${old.id} order by id`;
    expect(rows[1]?.row).toMatchObject({
      action: 'rotate',
      resource_type: 'apiKey',
      organization_id: organizationId,
      after: { name: 'test', previousKeyExpiresAt: body.previousKeyExpiresAt },
    });
    const [stored] = await h.sql`select to_jsonb(k) as row from api_keys k where id = ${old.id}`;
    expect(stored?.row).toMatchObject({
      key_hash: hashSecret(body.key),
      previous_key_hash: hashSecret(old.key),
    });
    const shown = [JSON.stringify(rows), (await ada.get('apiKey.all')).text, ...h.logLines].join('\n');
    for (const secret of [old.key, body.key]) {
      expect(shown + JSON.stringify(stored)).not.toContain(secret);
      expect(shown).not.toContain(hashSecret(secret));
    }
  });

  test.each([
    ['less than nothing', -1],
    ['more than a week', 604_801],
    ['half a second', 0.5],
    ['text', '60'],
  ])('with an overlap of %s is 400', async (_, overlapSeconds) => {
    const ada = await h.user();
    const { id } = await h.key(ada);
    expect((await ada.post('apiKey.rotate', { apiKeyId: id, overlapSeconds })).status).toBe(400);
  });

  test('of an expired key is 412', async () => {
    const ada = await h.user();
    const { id } = await h.key(ada, { expiresIn: 60 });
    h.clock.advance(60_000);
    const { status, body } = await rotate(ada, id);
    expect([status, body.data.reason]).toEqual([412, 'api_key_expired']);
  });
});

describe('who rotates', () => {
  test('the holder alone: another one’s key is as one that is not there', async () => {
    const [ada, eve] = [await h.user(), await h.user()];
    const key = await h.key(ada);
    const [foreign, missing] = [await rotate(eve, key.id), await rotate(eve, newId())];
    expect([foreign.status, foreign.text]).toEqual([404, missing.text]);
    expect(await outcomeOf(key)).toEqual(OK);
  });

  test.each([
    ['bound to an organization', {}],
    ['limited to permissions', { scope: 'user', permissions: ['organization:read'] }],
    ['that expires', { scope: 'user', expiresIn: 3600 }],
    ['with a rate limit', { scope: 'user', rateLimitMax: 50, rateLimitTimeWindow: 60_000 }],
    ['with a number of requests', { scope: 'user', remaining: 50 }],
    ['bound to addresses', { scope: 'user', allowedIps: ['127.0.0.1'] }],
  ])('no key %s, be it itself; nor does it make keys', async (_, input) => {
    const ada = await h.user();
    const [limited, other] = [await h.key(ada, input), await h.key(ada)];
    for (const id of [limited.id, other.id]) {
      const { status, body } = await rotate(limited, id);
      expect([status, body.data.reason]).toEqual([403, 'key_is_limited']);
    }
    expect((await limited.post('apiKey.create', { name: 'wider', scope: 'user' })).status).toBe(403);
    expect(await outcomeOf(other)).toEqual(OK);
  });

  test('an unlimited key of the whole user, itself too', async () => {
    const ada = await h.user();
    const [key, other] = [await h.key(ada, { scope: 'user' }), await h.key(ada)];
    expect((await rotate(key, other.id)).status).toBe(200);
    const { body } = await rotate(key, key.id);
    expect(await outcomeOf(withKey(body.key))).toEqual(OK);
  });

  test('not by the secret that is about to end: who stole it would keep the key', async () => {
    const ada = await h.user();
    const stolen = await h.key(ada, { scope: 'user' });
    const renewed = await renew(ada, stolen.id);
    for (const reply of [
      await rotate(stolen, stolen.id),
      await stolen.post('apiKey.create', { name: 'spare', scope: 'user' }),
      await stolen.post('user.createApiKey', {
        name: 'spare',
        metadata: { organizationId: (await ada.get('organization.active')).body.id },
      }),
    ]) {
      expect([reply.status, reply.body.data.reason]).toEqual([403, 'api_key_outgoing']);
    }
    expect(await outcomeOf(renewed)).toEqual(OK);
    expect((await renewed.post('apiKey.create', { name: 'spare' })).status).toBe(200);
  });
});
