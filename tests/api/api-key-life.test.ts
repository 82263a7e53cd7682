import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Caller, createHarness, type Harness, type Reply } from '../support/harness.ts';
import { leaveEverything } from './stage.ts';

/* When a key stops working, and what it says then. */

let h: Harness;
beforeAll(async () => {
  h = await createHarness();
});
afterAll(() => h[Symbol.asyncDispose]());

const use = (key: Caller): Promise<Reply> => key.get('user.session');
const outcomeOf = async (key: Caller) => {
  const { status, body } = await use(key);
  return [status, body.data?.reason];
};
const INVALID = [401, 'api_key_invalid'];

describe('a key dies', () => {
  test.each(['apiKey.delete', 'user.deleteApiKey'])('by %s, at once', async (name) => {
    const ada = await h.user();
    const [key, other] = [await h.key(ada), await h.key(ada)];
    const { status, body } = await ada.post(name, { apiKeyId: key.id });
    expect([status, body]).toEqual([200, name === 'apiKey.delete' ? { success: true } : true]);
    expect(await outcomeOf(key)).toEqual(INVALID);
    expect((await ada.post(name, { apiKeyId: key.id })).status).toBe(404);
    expect((await use(other)).status).toBe(200);
  });

  test('with the membership', async () => {
    const org = await h.organization();
    const ada = await org.join('admin');
    const key = await h.key(ada, { organizationId: org.id });
    expect((await use(key)).status).toBe(200);
    await h.sql`delete from memberships where id = ${ada.memberId}`;
    expect(await outcomeOf(key)).toEqual(INVALID);
    await h.sql`insert into memberships (id, organization_id, user_id, role)
      values (${ada.memberId}, ${org.id}, ${ada.id}, 'admin')`;
    expect(await outcomeOf(key)).toEqual(INVALID); // and does not come back with it
  });

  test('with the organization', async () => {
    const org = await h.organization();
    const key = await h.key(org.owner, { organizationId: org.id });
    await org.owner.post('organization.delete', { organizationId: org.id });
    expect(await outcomeOf(key)).toEqual(INVALID);
  });

  test.each(['organization', 'user'])('with the account, one of scope %s', async (scope) => {
    const org = await h.organization();
    const ada = await org.join('member');
    const key = await h.key(ada, { scope, organizationId: org.id });
    await h.sql`delete from organizations where owner_id = ${ada.id}`;
    expect((await use(key)).status).toBe(200);
    await h.sql`delete from users where id = ${ada.id}`;
    expect(await outcomeOf(key)).toEqual(INVALID);
  });

  test('at its end', async () => {
    const key = await h.key(await h.user(), { expiresIn: 60 });
    h.clock.advance(59_000);
    expect((await use(key)).status).toBe(200);
    h.clock.advance(1_001);
    expect(await outcomeOf(key)).toEqual([401, 'api_key_expired']);
  });
});

test('a key of the whole user outlives a membership, without it', async () => {
  const org = await h.organization();
  const ada = await org.join('admin');
  const key = await h.key(ada, { scope: 'user', organizationId: org.id });
  expect((await key.get('organization.active')).body.id).toBe(org.id);
  await h.sql`delete from memberships where id = ${ada.memberId}`;
  expect((await key.get('organization.one', { organizationId: org.id })).status).toBe(404);
  expect((await key.get('organization.active')).body.ownerId).toBe(ada.id);
  await leaveEverything(h, ada);
  expect((await key.get('organization.active')).body).toBeNull();
});

test('a key that was never one, or says nothing, is refused', async () => {
  for (const key of ['', 'tenantry_', 'x'.repeat(300), `tenantry_${'a'.repeat(43)}`]) {
    const { status, body } = await h.anonymous.send('/api/user.session', { headers: { 'x-api-key': key } });
    expect([status, body.data.reason]).toEqual(INVALID);
  }
});

describe('limits', () => {
  test('there are none unless they were asked for', async () => {
    const key = await h.key(await h.user());
    for (let call = 0; call < 40; call += 1) expect((await use(key)).status).toBe(200);
  });

  test('a number of requests is used up one by one, and refilled', async () => {
    const ada = await h.user();
    const limits = { remaining: 3, refillAmount: 2, refillInterval: 60_000 };
    const key = await h.key(ada, limits);
    for (let call = 0; call < 3; call += 1) expect((await use(key)).status).toBe(200);
    expect(await outcomeOf(key)).toEqual([401, 'api_key_exhausted']);
    expect((await ada.get('apiKey.all')).body.items).toMatchObject([{ remaining: 0 }]);
    h.clock.advance(60_000);
    for (let call = 0; call < 2; call += 1) expect((await use(key)).status).toBe(200);
    expect((await use(key)).status).toBe(401);
  });

  test('a rate limit answers 429 with the time to wait, and begins again', async () => {
    const key = await h.key(await h.user(), { rateLimitMax: 2, rateLimitTimeWindow: 30_000 });
    for (let call = 0; call < 2; call += 1) expect((await use(key)).status).toBe(200);
    const refused = await use(key);
    expect([refused.status, refused.body.data.reason]).toEqual([429, 'api_key_rate_limited']);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(Number(refused.headers.get('retry-after'))).toBeLessThanOrEqual(30);
    h.clock.advance(30_000);
    expect((await use(key)).status).toBe(200);
  });

  test('32 calls at once get what is left, no more', async () => {
    const key = await h.key(await h.user(), { remaining: 10 });
    const replies = await Promise.all(Array.from({ length: 32 }, () => use(key)));
    expect(replies.filter(({ status }) => status === 200)).toHaveLength(10);
    expect(replies.filter(({ status }) => status === 401)).toHaveLength(22);
  });
});

test('deleting a key leaves no trail in an organization that its holder has left', async () => {
  const org = await h.organization();
  const ada = await org.join('member');
  const [first, second] = [
    await h.key(ada, { scope: 'user', organizationId: org.id }),
    await h.key(ada, { scope: 'user', organizationId: org.id }),
  ];
  const deletions = async () =>
    (await org.owner.get('auditLog.all', { organizationId: org.id, action: 'delete' })).body;
  await ada.post('apiKey.delete', { apiKeyId: first.id });
  expect(await deletions()).toMatchObject([{ resourceId: first.id, userId: ada.id }]);
  await h.sql`delete from memberships where id = ${ada.memberId}`;
  await ada.post('apiKey.delete', { apiKeyId: second.id });
  expect(await deletions()).toHaveLength(1);
  const [row] =
    await h.sql`select organization_id from audit_log where resource_id = ${second.id} and action = 'delete'`;
  expect(row).toEqual({ organizationId: null });
});
