import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Caller, createHarness, type Harness, type TestUser } from '../support/harness.ts';

const REFUSED = [403, 'api_key_address'];
const OK = [200, undefined];

/** Calls with a key as if from `forwarded`. */
async function use(key: Caller, forwarded?: string, procedure = 'apiKey.whoami') {
  const headers: Record<string, string> = forwarded === undefined ? {} : { 'x-forwarded-for': forwarded };
  const { status, body } = await key.send(`/api/${procedure}`, { headers });
  return [status, body.data?.reason];
}

describe('without a proxy', () => {
  let h: Harness;
  let ada: TestUser;
  beforeAll(async () => {
    h = await createHarness();
    ada = await h.user();
  });
  afterAll(() => h[Symbol.asyncDispose]());

  test('a key is used from its addresses, and what a client says of itself changes nothing', async () => {
    const near = await h.key(ada, { allowedIps: ['127.0.0.0/8', '::1'] });
    const far = await h.key(ada, { allowedIps: ['203.0.113.7'] });
    for (const forwarded of [undefined, '203.0.113.7', '::ffff:203.0.113.7', 'x']) {
      expect(await use(near, forwarded)).toEqual(OK);
      expect(await use(far, forwarded)).toEqual(REFUSED);
    }
    const spoofed = await far.send('/api/apiKey.whoami', {
      headers: { forwarded: 'for=203.0.113.7', 'x-real-ip': '203.0.113.7', 'x-client-ip': '203.0.113.7' },
    });
    expect(spoofed.status).toBe(403);
  });

  test('a refusal says why, on both surfaces and for what anybody may call', async () => {
    const far = await h.key(ada, { allowedIps: ['203.0.113.7'] });
    const { status, body } = await far.get('apiKey.whoami');
    expect(status).toBe(403);
    expect(body).toMatchObject({
      message: 'This API key cannot be used from this address.',
      code: 'FORBIDDEN',
      data: { reason: 'api_key_address' },
    });
    const trpc = await far.get('trpc/apiKey.whoami');
    expect([trpc.status, trpc.body.error.json.data.reason]).toEqual(REFUSED);
    expect(await use(far, undefined, 'settings.health')).toEqual(REFUSED);
  });

  test('a refused use takes nothing from the key', async () => {
    const limits = { remaining: 5, rateLimitMax: 2, rateLimitTimeWindow: 60_000 };
    const far = await h.key(ada, { allowedIps: ['203.0.113.7'], ...limits });
    for (let call = 0; call < 7; call += 1) expect(await use(far)).toEqual(REFUSED);
    expect(
      await h.sql`select remaining, window_count, last_used_at from api_keys where id = ${far.id}`,
    ).toEqual([{ remaining: 5, windowCount: 0, lastUsedAt: null }]);
  });

  test('addresses are kept in one way to write them, each once', async () => {
    const allowedIps = ['10.1.2.3/8', '::ffff:10.0.0.0/104', '2001:DB8::0:1', ' 192.0.2.1/32 '];
    const { body } = await ada.post('apiKey.create', { name: 'a', allowedIps });
    const kept = ['10.0.0.0/8', '2001:db8::1', '192.0.2.1'];
    expect(body.allowedIps).toEqual(kept);
    const { items } = (await ada.get('apiKey.all')).body;
    expect(items.find(({ id }: { id: string }) => id === body.id).allowedIps).toEqual(kept);
    expect((await ada.post('apiKey.create', { name: 'b' })).body.allowedIps).toBeNull();
  });

  test.each([
    ['none', []],
    ['a name', ['localhost']],
    ['a shorthand', ['127.1']],
    ['a bad prefix', ['10.0.0.0/33']],
    ['a zone', ['fe80::1%lo']],
    ['much text', ['1'.repeat(5000)]],
    ['more than 50', Array.from({ length: 51 }, (_, i) => `10.0.0.${i}`)],
    ['text', '127.0.0.1'],
  ])('%s is 400 naming the field', async (_, allowedIps) => {
    const { status, body } = await ada.post('apiKey.create', { name: 'a', allowedIps });
    expect(status).toBe(400);
    expect(body.issues[0].path[0]).toBe('allowedIps');
  });
});

describe('behind a trusted proxy', () => {
  let h: Harness;
  beforeAll(async () => {
    h = await createHarness({ TRUSTED_PROXIES: '127.0.0.1' });
  });
  afterAll(() => h[Symbol.asyncDispose]());

  test('the address is the one that the proxy saw', async () => {
    const key = await h.key(await h.user(), { allowedIps: ['203.0.113.7', '2001:db8:1::/48'] });
    for (const address of ['203.0.113.7', '::ffff:203.0.113.7', '2001:db8:1:2::3', '9.9.9.9, 203.0.113.7']) {
      expect(await use(key, address), address).toEqual(OK);
    }
    for (const address of [undefined, '203.0.113.8', '2001:db8:2::1', '203.0.113.7, 9.9.9.9']) {
      expect(await use(key, address), address).toEqual(REFUSED);
    }
  });
});
