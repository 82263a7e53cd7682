import { afterAll, beforeAll, expect, test } from 'vitest';
import { hold } from '../http/held.ts';
import {
  createHarness,
  type Harness,
  type Reply,
  type TestUser,
  times,
  UNLIMITED,
  untilServed,
} from '../support/harness.ts';
import { newLicenseOf, newNode, newServerOf, SIZE, standstillsUntil, untilBlocked } from './stage.ts';

/* However many come at once, there are no more servers than the tier has and no more taken than a node has. */

const CALLERS = 32;

let h: Harness;
let owner: TestUser;
beforeAll(async () => {
  h = await createHarness({ MAX_ORGANIZATIONS_PER_USER: '1000' }, { rateLimiter: UNLIMITED });
  await h.user(); // the first account is the rootAdmin
  owner = await h.user();
});
afterAll(() => h[Symbol.asyncDispose]());

const create = (organizationId: string, nodeId?: string) =>
  owner.post('server.create', { organizationId, name: 'web', ...SIZE, nodeId });
/** How often each outcome came. */
const tally = (replies: Reply[]): Record<string, number> => {
  const counts: Record<string, number> = {};
  for (const { status, body } of replies) {
    const outcome = String(body.data?.reason ?? status);
    counts[outcome] = (counts[outcome] ?? 0) + 1;
  }
  return counts;
};
const servers = (column: 'organization_id' | 'node_id', id: string) =>
  h.sql`select 1 from servers where ${h.sql(column)} = ${id}`;

test('32 at once for the last server of a tier: exactly one', async () => {
  await newNode(h);
  const { id } = await h.organization(owner);
  await newServerOf(h, id);
  const replies = await h.race(
    id,
    times(CALLERS, () => () => create(id)),
  );
  expect(tally(replies)).toEqual({ 200: 1, server_quota_reached: CALLERS - 1 });
  expect(await servers('organization_id', id)).toHaveLength(2);
});

test('32 organizations at once for the last megabytes of a node: exactly one', async () => {
  const organizations = await Promise.all(times(CALLERS, () => h.organization(owner)));
  for (const [capacity, share] of [
    ['memory_mb', SIZE.memoryMb],
    ['disk_mb', SIZE.diskMb],
    ['cpu_percent', SIZE.cpuPercent],
  ] as const) {
    const { id: nodeId } = await newNode(h, { [capacity]: 2 * share - 1 });
    const replies = await Promise.all(organizations.map(({ id }) => untilServed(() => create(id, nodeId))));
    expect(tally(replies)).toEqual({ 200: 1, no_capacity: CALLERS - 1 });
    expect(await servers('node_id', nodeId)).toHaveLength(1);
    await h.sql`delete from servers where node_id = ${nodeId}`;
  }
});

test('who comes too late for one node is given the next one', async () => {
  await h.sql`update nodes set draining = true`;
  const organizations = await Promise.all(times(CALLERS, () => h.organization(owner)));
  const nodes = await Promise.all(times(CALLERS, () => newNode(h, { memory_mb: SIZE.memoryMb })));
  const replies = await Promise.all(organizations.map(({ id }) => untilServed(() => create(id))));
  expect(tally(replies)).toEqual({ 200: CALLERS });
  for (const { id } of nodes) expect(await servers('node_id', id)).toHaveLength(1);
});

test('two that go from a full node to the next one do not wait for each other', async () => {
  await h.sql`update nodes set draining = true`;
  const [first, second] = [await h.organization(owner), await h.organization(owner)];
  const [a, b] = [await newNode(h, { memory_mb: 2048 }), await newNode(h, { memory_mb: 1024 })];
  const fill = async (nodeId: string) => {
    const gate = await h.sql.reserve();
    await gate`begin`;
    await gate`update nodes set used_memory_mb = memory_mb where id = ${nodeId}`;
    return gate;
  };
  const gates = [await fill(a.id)];
  const replies = [create(first.id)]; // on a, where most is free
  await untilBlocked(h, 1);
  await h.sql`update nodes set memory_mb = 4096 where id = ${b.id}`;
  gates.push(await fill(b.id));
  replies.push(create(second.id)); // on b, which has more by now
  await untilBlocked(h, 2);
  for (const gate of gates) {
    await gate`commit`;
    gate.release();
  }
  expect(await standstillsUntil(h, Promise.all(replies))).toBe(0);
  expect(tally(await Promise.all(replies))).toEqual({ no_capacity: 2 });
});

test('servers that grow at once take no more than there is', async () => {
  const { id } = await h.organization(owner);
  await newLicenseOf(h, id, 'enterprise');
  const { id: nodeId } = await newNode(h, { memory_mb: 10 * SIZE.memoryMb });
  const ids = await Promise.all(times(8, () => newServerOf(h, id, nodeId)));
  const replies = await h.race(
    id,
    ids.map((serverId) => () => owner.post('server.update', { serverId, memoryMb: 2 * SIZE.memoryMb })),
  );
  expect(tally(replies)).toEqual({ 200: 2, no_capacity: 6 });
});

test('a license that ends while they wait counts', async () => {
  await newNode(h);
  const { id } = await h.organization(owner);
  const license = await newLicenseOf(h, id);
  for (const _ of [1, 2]) await newServerOf(h, id);
  const replies = await h.race(
    id,
    times(4, () => () => create(id)),
    (tx) => tx`update licenses set active = false where id = ${license.id}`,
  );
  expect(tally(replies)).toEqual({ server_quota_reached: 4 });
});

test('heartbeats beside changes of the same servers get in each other’s way for no longer than that', async () => {
  const { id } = await h.organization(owner);
  const { id: nodeId, token } = await newNode(h);
  const ids = [await newServerOf(h, id, nodeId), await newServerOf(h, id, nodeId)];
  const replies = await Promise.all(
    times(24, (index) =>
      index % 2 === 0
        ? owner.post('server.update', { serverId: ids[index % 4 === 0 ? 0 : 1], memoryMb: 512 + index })
        : h.anonymous.post('node.heartbeat', {
            token,
            servers: ids.map((each) => ({ id: each, state: 'running' })),
          }),
    ),
  );
  expect(tally(replies)).toEqual({ 200: 24 });
});

test('two heartbeats of one node at once do not wait for each other', async () => {
  const { id } = await h.organization(owner);
  const { id: nodeId, token } = await newNode(h);
  const [a, b] = [await newServerOf(h, id, nodeId), await newServerOf(h, id, nodeId)];
  const [first, last] = [await newServerOf(h, id, nodeId), await newServerOf(h, id, nodeId)];
  const beat = (...ids: string[]) =>
    h.anonymous.post('node.heartbeat', {
      token,
      servers: ids.map((each) => ({ id: each, state: 'running' })),
    });
  const gate = await hold(h.databaseUrl, `select 1 from servers where id in ('${a}', '${b}') for update`);
  const replies = [beat(first, a, last)];
  await untilBlocked(h, 1);
  replies.push(beat(last, b, first));
  await untilBlocked(h, 2);
  await gate.release();
  expect(await standstillsUntil(h, Promise.all(replies))).toBe(0);
  expect(tally(await Promise.all(replies))).toEqual({ 200: 2 });
});
