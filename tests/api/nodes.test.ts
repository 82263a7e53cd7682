import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { newId } from '../../src/kernel/ids.ts';
import {
  type Body,
  createHarness,
  type Harness,
  type Reply,
  type TestUser,
  UNLIMITED,
} from '../support/harness.ts';
import { newLicenseOf, newNode, newServerOf, SIZE, untilBlocked } from './stage.ts';

/* Machines, their agents, and whose they are. */

let h: Harness;
let root: TestUser;
let owner: TestUser;
let organizationId: string;
beforeAll(async () => {
  h = await createHarness({ MAX_ORGANIZATIONS_PER_USER: '1000' }, { rateLimiter: UNLIMITED });
  root = await h.user();
  owner = await h.user();
});
afterAll(() => h[Symbol.asyncDispose]());
beforeEach(async () => {
  organizationId = (await h.organization(owner)).id;
});

const CAPACITY = { memoryMb: 4096, diskMb: 8192, cpuPercent: 400 };
const create = (input: object = {}) =>
  root.post('node.create', { name: newId(), pool: 'paid', ...CAPACITY, ...input });
const read = async (nodeId: string): Promise<Body> => (await root.get('node.one', { nodeId })).body;
const beat = (token: string, input: object = {}) => h.anonymous.post('node.heartbeat', { token, ...input });
const outcome = ({ status, body }: Reply) => [status, body.data?.reason];
const assign = (nodeId: string, to = organizationId) =>
  root.post('node.assignOrganization', { nodeId, organizationId: to });

describe('the token', () => {
  test('is shown once and kept as a hash; rotated, the old one is over at once', async () => {
    const { body } = await create({ name: 'shown-once', address: 'n1.example.net' });
    const { token, ...node } = body;
    expect(token).toMatch(/^node_[\w-]{43}$/);
    expect(node).toMatchObject({
      pool: 'paid',
      ...CAPACITY,
      online: false,
      organizationId: null,
      draining: false,
    });
    expect((await beat(token)).body).toMatchObject({ nodeId: node.id, servers: [] });
    const rotated = (await root.post('node.rotateToken', { nodeId: node.id })).body.token;
    expect(outcome(await beat(token))).toEqual([401, 'node_token_invalid']);
    expect((await beat(rotated)).status).toBe(200);
    const texts = [
      JSON.stringify(await h.sql`select * from nodes, audit_log`),
      (await root.get('node.all')).text,
      h.logLines.join(),
    ];
    for (const text of texts) for (const secret of [token, rotated]) expect(text).not.toContain(secret);
  });

  test('dies with the node', async () => {
    const { body } = await create();
    expect((await root.post('node.remove', { nodeId: body.id })).body.id).toBe(body.id);
    expect((await beat(body.token)).status).toBe(401);
  });
});

describe('a heartbeat', () => {
  test('makes the node one that is heard of, until it is silent for two minutes', async () => {
    const { body } = await create();
    await beat(body.token, { agentVersion: '1.2.3' });
    expect(await read(body.id)).toMatchObject({ online: true, agentVersion: '1.2.3' });
    h.clock.advance(119_000);
    expect((await read(body.id)).online).toBe(true);
    h.clock.advance(1_000);
    expect((await read(body.id)).online).toBe(false);
    await beat(body.token);
    expect(await read(body.id)).toMatchObject({ online: true, agentVersion: '1.2.3' });
  });

  test('reports the states of its servers and of no others, and is told what they are to be', async () => {
    const [one, other] = [await newNode(h), await newNode(h)];
    const serverId = await newServerOf(h, organizationId, one.id);
    const foreign = await newServerOf(h, organizationId, other.id);
    await owner.post('server.setState', { serverId, state: 'stopped' });
    const { body } = await beat(one.token, {
      servers: [
        { id: serverId, state: 'running' },
        { id: foreign, state: 'failed' },
        { id: newId(), state: 'failed' },
      ],
    });
    expect(body.servers).toEqual([{ id: serverId, name: 'spare', ...SIZE, desiredState: 'stopped' }]);
    const state = async (id: string) => (await owner.get('server.one', { serverId: id })).body;
    expect(await state(serverId)).toMatchObject({ state: 'running', reportedAt: expect.any(String) });
    expect(await state(foreign)).toMatchObject({ state: 'creating', reportedAt: null });
    await beat(one.token);
    expect((await state(serverId)).state).toBe('running');
    await owner.post('server.remove', { serverId });
    expect((await beat(one.token)).body.servers).toEqual([]);
  });

  test.each([
    { token: '' },
    { servers: 'all' },
    { servers: [{ id: 'x', state: 'running' }] },
    { servers: [{ id: newId(), state: 'exploded' }] },
    { servers: Array.from({ length: 1001 }, () => ({ id: newId(), state: 'running' })) },
  ])('of the wrong form is refused', async (input) => {
    const { token } = await newNode(h);
    expect((await beat(token, input)).status).toBe(400);
  });
});

describe('setting a node aside', () => {
  test('needs the enterprise tier', async () => {
    const { id } = await newNode(h);
    for (const plan of ['free', 'educational', 'paid']) {
      await newLicenseOf(h, organizationId, plan);
      expect(outcome(await assign(id))).toEqual([412, 'enterprise_required']);
    }
    const license = await newLicenseOf(h, organizationId, 'enterprise');
    await h.sql`update licenses set active = false where id = ${license.id}`;
    expect(outcome(await assign(id))).toEqual([412, 'enterprise_required']);
    await h.sql`update licenses set active = true where id = ${license.id}`;
    expect((await assign(id)).body).toMatchObject({ id, organizationId });
  });

  test('needs a node without servers of others, and one that is nobody else’s', async () => {
    const other = await h.organization();
    for (const id of [organizationId, other.id]) await newLicenseOf(h, id, 'enterprise');
    const { id: nodeId } = await newNode(h);
    await newServerOf(h, organizationId, nodeId);
    const foreign = await newServerOf(h, other.id, nodeId);
    expect(outcome(await assign(nodeId))).toEqual([412, 'node_has_foreign_servers']);
    await other.owner.post('server.remove', { serverId: foreign });
    expect((await assign(nodeId)).status).toBe(200);
    expect((await assign(nodeId)).status).toBe(200);
    expect(outcome(await assign(nodeId, other.id))).toEqual([412, 'node_assigned']);
    expect(outcome(await root.post('node.remove', { nodeId }))).toEqual([412, 'node_assigned']);
    expect((await root.post('node.unassignOrganization', { nodeId })).body.organizationId).toBeNull();
    expect(outcome(await root.post('node.unassignOrganization', { nodeId }))).toEqual([
      412,
      'node_not_assigned',
    ]);
    expect((await owner.get('server.all', { organizationId })).body.items).toHaveLength(1);
  });

  test.each([
    ['before it', [200, 412]],
    ['after it', [404, 200]],
  ])('at once with a server of another organization that comes %s', async (order, expected) => {
    const other = await h.organization();
    await newLicenseOf(h, organizationId, 'enterprise');
    const { id: nodeId } = await newNode(h);
    const calls = [
      () => other.owner.post('server.create', { organizationId: other.id, name: 'a', ...SIZE, nodeId }),
      () => assign(nodeId),
    ];
    const started: Promise<Reply>[] = [];
    await h.sql.begin(async (tx) => {
      await tx`select 1 from nodes where id = ${nodeId} for update`;
      for (const call of order === 'before it' ? calls : calls.toReversed()) {
        started.push(call());
        await untilBlocked(h, started.length);
      }
    });
    const replies = await Promise.all(started);
    const [made, assigned] = order === 'before it' ? replies : replies.toReversed();
    expect([made?.status, assigned?.status]).toEqual(expected);
  });
});

describe('a node', () => {
  test('with servers is not removed', async () => {
    const { id: nodeId } = await newNode(h);
    const serverId = await newServerOf(h, organizationId, nodeId);
    const { status, body } = await root.post('node.remove', { nodeId });
    expect([status, body.data.reason, body.message]).toEqual([
      412,
      'node_has_servers',
      'There is 1 server on this node. Remove it first.',
    ]);
    expect((await read(nodeId)).servers).toBe(1);
    await owner.post('server.remove', { serverId });
    expect((await root.post('node.remove', { nodeId })).status).toBe(200);
    expect((await root.get('node.one', { nodeId })).status).toBe(404);
  });

  test('cannot have less than its servers take; what is left out stays, null clears', async () => {
    const { id: nodeId } = await newNode(h, { address: 'n.example.net' });
    await newServerOf(h, organizationId, nodeId);
    const update = (changes: object) => root.post('node.update', { nodeId, ...changes });
    for (const [field, value] of Object.entries(SIZE)) {
      expect(outcome(await update({ [field]: value - 1 }))).toEqual([412, 'node_capacity_in_use']);
    }
    expect((await update(SIZE)).body).toMatchObject({
      ...SIZE,
      address: 'n.example.net',
      pool: 'free_and_paid',
    });
    expect((await update({ address: null, draining: true })).body).toMatchObject({
      ...SIZE,
      address: null,
      draining: true,
      usedMemoryMb: SIZE.memoryMb,
    });
  });

  test('has a name of its own', async () => {
    await create({ name: 'unique' });
    expect(outcome(await create({ name: 'unique' }))).toEqual([409, 'node_name_taken']);
    const { body } = await create();
    expect(outcome(await root.post('node.update', { nodeId: body.id, name: 'unique' }))).toEqual([
      409,
      'node_name_taken',
    ]);
    expect((await root.post('node.update', { nodeId: body.id, name: body.name })).status).toBe(200);
  });

  test('is listed page by page, by pool, by owner, by draining', async () => {
    await newLicenseOf(h, organizationId, 'enterprise');
    const { id } = await newNode(h, { draining: true, pool: 'free', organization_id: organizationId });
    const all = async (query: object) => (await root.get('node.all', { ...query })).body;
    expect((await all({ organizationId, draining: true, pool: 'free' })).items).toMatchObject([{ id }]);
    expect((await all({ organizationId, draining: false })).items).toEqual([]);
    expect((await all({ organizationId, pool: 'paid' })).items).toEqual([]);
    const first = await all({ limit: 1 });
    expect((await all({ limit: 1, cursor: first.nextCursor })).items[0].id > first.items[0].id).toBe(true);
  });

  test.each([
    { pool: 'gold' },
    { memoryMb: 0 },
    { cpuPercent: 1.5 },
    { name: '' },
    { address: 'x'.repeat(254) },
  ])('with %j is refused', async (input) => expect((await create(input)).status).toBe(400));
});
