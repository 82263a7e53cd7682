import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { RateLimiter } from '../../src/domain/deps.ts';
import { procedures } from '../api/procedures.ts';
import { newAddress } from '../api/stage.ts';
import {
  type Caller,
  createHarness,
  type Harness,
  httpCaller,
  type Reply,
  type TestUser,
  times,
  UNLIMITED,
} from '../support/harness.ts';

/* Limits that procedures declare, and the one of all calls. */

/** A list of quoted names with whole numbers as parameters: structured fields, RFC 9651. */
const ITEM = /^"([\w.]+)"((?:;[a-z]=\d+)+)$/;

type Item = { name: string } & Record<string, number | string>;

function itemsOf(header: string | null): Item[] {
  return (header ?? '').split(', ').map((item) => {
    const [, name = '', parameters = ''] = ITEM.exec(item) ?? [];
    expect([item, name]).toEqual([item, expect.stringMatching(/./)]);
    const pairs = parameters
      .slice(1)
      .split(';')
      .map((pair) => pair.split('='));
    return { name, ...Object.fromEntries(pairs.map(([key, value]) => [key, Number(value)])) };
  });
}

const limitsOf = ({ headers }: Reply) => ({
  policy: itemsOf(headers.get('ratelimit-policy')),
  left: itemsOf(headers.get('ratelimit')),
});

describe('declared limits', () => {
  let h: Harness;
  let ada: TestUser;
  let organizationId: string;
  beforeAll(async () => {
    h = await createHarness({ TRUSTED_PROXIES: '127.0.0.1' });
    const organization = await h.organization();
    ada = organization.owner;
    organizationId = organization.id;
  });
  afterAll(() => h[Symbol.asyncDispose]());

  const invite = (by: Caller = ada) =>
    by.post('organization.inviteMember', { organizationId, email: newAddress() });

  test('have names that a structured field can carry', () => {
    const limits = procedures.flatMap(({ meta }) => [meta.rateLimit ?? []].flat());
    expect(limits.length).toBeGreaterThan(8);
    for (const { name, points, seconds } of limits) {
      expect(name).toMatch(/^[\w.]+$/);
      expect(points).toBeGreaterThan(0);
      expect(seconds).toBeGreaterThan(0);
    }
    const byName = new Map(limits.map((limit) => [limit.name, limit]));
    for (const limit of limits) expect(limit).toEqual(byName.get(limit.name)); // shared ones are one
  });

  test('several on one procedure are all told, and the one that refuses says when to come again', async () => {
    expect(limitsOf(await invite())).toEqual({
      policy: [
        { name: 'invitation.mails', q: 60, w: 60 },
        { name: 'invitation.mails.day', q: 500, w: 86_400 },
      ],
      left: [
        { name: 'invitation.mails', r: 59, t: 60 },
        { name: 'invitation.mails.day', r: 499, t: 86_400 },
      ],
    });
    const replies = await Promise.all(times(60, () => invite()));
    const refused = replies.filter(({ status }) => status === 429);
    expect(refused).toHaveLength(1);
    for (const reply of refused) {
      const retryAfter = Number(reply.headers.get('retry-after'));
      expect(retryAfter).toBeGreaterThan(0);
      expect(retryAfter).toBeLessThanOrEqual(60);
      expect(limitsOf(reply)).toEqual({
        policy: [{ name: 'invitation.mails', q: 60, w: 60 }],
        left: [{ name: 'invitation.mails', r: 0, t: retryAfter }],
      });
      expect(reply.body.data.reason).toBe('rate_limited');
    }
  });

  test('count a person, by whatever way he comes and whatever he calls it', async () => {
    const key = await h.key(ada, { scope: 'user' });
    expect((await invite(key)).status).toBe(429);
    const elsewhere = httpCaller(h.baseUrl, { cookie: ada.cookie, 'x-forwarded-for': '203.0.113.9' });
    expect((await invite(elsewhere)).status).toBe(429);
    const trpc = await ada.post('trpc/organization.inviteMember', { organizationId, email: newAddress() });
    expect(trpc.status).toBe(429);
    expect(Number(trpc.headers.get('retry-after'))).toBeGreaterThan(0);
    const [{ id: invitationId } = { id: '' }] = await h.sql<{ id: string }[]>`
      select id from invitations where organization_id = ${organizationId} limit 1`;
    expect((await ada.post('organization.resendInvitation', { invitationId })).status).toBe(429);
    expect((await ada.post('user.sendInvitation', { invitationId })).status).toBe(429);
  });

  test('leave others alone, at the same address too', async () => {
    const { id, owner } = await h.organization();
    const { status } = await owner.post('organization.inviteMember', {
      organizationId: id,
      email: newAddress(),
    });
    expect(status).toBe(200);
  });

  test('count nobody by the address, of IPv6 by its /64', async () => {
    const from = (address: string) => httpCaller(h.baseUrl, { 'x-forwarded-for': address });
    const preview = (address: string) => from(address).get('invitation.preview', { token: 'x'.repeat(43) });
    const left = async (address: string) => limitsOf(await preview(address)).left[0]?.r;
    expect(await left('2001:db8:0:1::1')).toBe(29);
    expect(await left('2001:db8:0:1:ffff::2')).toBe(28);
    expect(await left('2001:db8:0:2::1')).toBe(29);
    expect(await left('203.0.113.1')).toBe(29);
    expect(await left('::ffff:203.0.113.1')).toBe(28);
  });

  test('what the minute refuses does not use up the day', async () => {
    const asked: string[] = [];
    const rateLimiter: RateLimiter = {
      async consume(limit, key) {
        asked.push(limit.name);
        const result = await UNLIMITED.consume(limit, key);
        return { ...result, allowed: limit.name !== 'invitation.mails' };
      },
    };
    await using other = await createHarness({}, { rateLimiter });
    const { id, owner } = await other.organization();
    asked.length = 0;
    const input = { organizationId: id, email: newAddress() };
    expect((await owner.post('organization.inviteMember', input)).status).toBe(429);
    expect(asked).toEqual(['calls', 'invitation.mails']);
  });
});

describe('RATE_LIMIT_PER_MINUTE', () => {
  test('limits all calls of one caller together', async () => {
    await using h = await createHarness({ RATE_LIMIT_PER_MINUTE: '5', TRUSTED_PROXIES: '127.0.0.1' });
    const [ada, ben] = [await h.user(), await h.user()];
    const calls = [
      () => ada.get('user.me'),
      () => ada.get('trpc/user.me'),
      () => ada.post('organization.create', { name: 'One' }),
      () => ada.get('organization.nothing'), // no procedure, no call
      () => ada.get('organization.checkHandle', { handle: 'x.example.org' }),
      () => ada.get('settings.health'),
    ];
    const replies: Reply[] = [];
    for (const call of calls) replies.push(await call());
    expect(replies.map(({ status }) => status)).toEqual([200, 200, 200, 404, 200, 200]);
    const [first, , , , own] = replies;
    expect(first && limitsOf(first)).toEqual({
      policy: [{ name: 'calls', q: 5, w: 60 }],
      left: [{ name: 'calls', r: 4, t: 60 }],
    });
    expect(own && limitsOf(own).policy).toEqual([{ name: 'organization.checkHandle', q: 30, w: 60 }]);

    const refused = await ada.get('organization.checkHandle', { handle: 'x.example.org' });
    expect([refused.status, refused.body.data.reason]).toEqual([429, 'rate_limited']);
    const retryAfter = Number(refused.headers.get('retry-after'));
    expect(limitsOf(refused).left).toEqual([{ name: 'calls', r: 0, t: retryAfter }]);

    expect((await ben.get('user.me')).status).toBe(200);
    const from = (address: string) => httpCaller(h.baseUrl, { 'x-forwarded-for': address });
    for (const _ of times(5, () => 0)) await from('203.0.113.1').get('settings.get');
    expect((await from('203.0.113.1').get('settings.get')).status).toBe(429);
    expect((await from('203.0.113.2').get('settings.get')).status).toBe(200);
    expect((await h.anonymous.send('/health', {})).status).toBe(200);
  });

  test('counts keys that are refused, repeats under an Idempotency-Key, and readings of the session', async () => {
    await using h = await createHarness({ RATE_LIMIT_PER_MINUTE: '5', TRUSTED_PROXIES: '127.0.0.1' });
    const from = (address: string, headers = {}) =>
      httpCaller(h.baseUrl, { 'x-forwarded-for': address, ...headers });
    const sixOf = async (call: () => Promise<Reply>) => {
      const replies: Reply[] = [];
      for (const _ of times(6, () => 0)) replies.push(await call());
      return replies.map(({ status }) => status);
    };

    const stranger = from('203.0.113.1', { 'x-api-key': 'nope' });
    expect(await sixOf(() => stranger.get('user.me'))).toEqual([401, 401, 401, 401, 401, 429]);
    expect((await from('203.0.113.1').get('settings.get')).status).toBe(429);

    const ada = await h.user();
    const elsewhere = await h.key(ada, { allowedIps: ['192.0.2.1'] });
    const foreign = from('203.0.113.3', elsewhere.headers);
    expect(await sixOf(() => foreign.get('user.session'))).toEqual([403, 403, 403, 403, 403, 429]);
    const limited = await h.key(ada, {
      rateLimitEnabled: true,
      rateLimitMax: 1,
      rateLimitTimeWindow: 3_600_000,
    });
    const eager = from('203.0.113.4', limited.headers);
    expect((await eager.get('user.session')).status).toBe(200);
    const reasons: string[] = [];
    for (const _ of times(6, () => 0)) reasons.push((await eager.get('user.session')).body.data.reason);
    expect(reasons).toEqual([...times(5, () => 'api_key_rate_limited'), 'rate_limited']);

    const ben = await h.user();
    const create = () => ben.post('organization.create', { name: 'One' }, { 'idempotency-key': 'once' });
    expect(await sixOf(create)).toEqual([200, 200, 200, 200, 200, 429]);
    const nobody = from('203.0.113.2', { 'idempotency-key': 'once' });
    expect(await sixOf(() => nobody.post('user.register', {}))).toEqual([400, 400, 400, 400, 400, 429]);

    const cleo = await h.user();
    expect(await sixOf(() => cleo.get('auth/get-session'))).toEqual([200, 200, 200, 200, 200, 429]);
  });

  test('limits nothing when it is 0', async () => {
    await using h = await createHarness({ RATE_LIMIT_PER_MINUTE: '0' });
    const { status, headers } = await h.anonymous.get('settings.get');
    expect([status, headers.get('ratelimit')]).toEqual([200, null]);
  });
});
