import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import {
  type Body,
  createHarness,
  type Harness,
  type Reply,
  type TestUser,
  UNLIMITED,
} from '../support/harness.ts';
import { newLicenseOf, newNode, newServerOf, SIZE } from './stage.ts';

/* Where servers are placed, how many there may be, and who may touch them. */

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
  await h.sql`delete from servers`;
  await h.sql`delete from nodes`;
  organizationId = (await h.organization(owner)).id;
});

const create = (input: object = {}, to = organizationId) =>
  owner.post('server.create', { organizationId: to, name: 'web', ...SIZE, ...input });
const outcome = ({ status, body }: Reply) => [status, body.data?.reason];
const update = (serverId: string, changes: object) => owner.post('server.update', { serverId, ...changes });
const used = async (id: string) => {
  const { body } = await root.get('node.one', { nodeId: id });
  return [body.usedMemoryMb, body.usedDiskMb, body.usedCpuPercent];
};

describe('placement', () => {
  test.each([
    ['free', 'free', true],
    ['free', 'paid', false],
    ['free', 'free_and_paid', true],
    ['paid', 'free', false],
    ['paid', 'paid', true],
    ['paid', 'free_and_paid', true],
    ['educational', 'free', false],
    ['educational', 'paid', true],
    ['educational', 'free_and_paid', true],
    ['enterprise', 'free', true],
    ['enterprise', 'paid', true],
    ['enterprise', 'free_and_paid', true],
  ])('tier %s, pool %s: %s', async (plan, pool, isPlaced) => {
    if (plan !== 'free') await newLicenseOf(h, organizationId, plan);
    const { id: nodeId } = await newNode(h, { pool });
    const { items } = (await owner.get('node.available', { organizationId })).body;
    expect(items.map(({ id }: Body) => id)).toEqual(isPlaced ? [nodeId] : []);
    expect(outcome(await create())).toEqual(isPlaced ? [200, undefined] : [412, 'no_capacity']);
    expect(outcome(await create({ nodeId }))).toEqual(isPlaced ? [200, undefined] : [404, 'node_not_found']);
  });

  test('the node with most free memory, of those with room', async () => {
    await newNode(h, { memory_mb: 4096 });
    const { id: roomy } = await newNode(h, { memory_mb: 8192 });
    await newNode(h, { memory_mb: 16_384, disk_mb: SIZE.diskMb - 1 });
    await newNode(h, { memory_mb: 16_384, cpu_percent: SIZE.cpuPercent - 1 });
    const { body } = await create();
    expect(body).toMatchObject({
      nodeId: roomy,
      state: 'creating',
      desiredState: 'running',
      reportedAt: null,
    });
    expect(await used(roomy)).toEqual([SIZE.memoryMb, SIZE.diskMb, SIZE.cpuPercent]);
  });

  test('a dedicated node first, and a shared one when it is full', async () => {
    await newLicenseOf(h, organizationId, 'enterprise');
    const { id: shared } = await newNode(h);
    const { id: own } = await newNode(h, { organization_id: organizationId, memory_mb: SIZE.memoryMb });
    const made = [(await create()).body.nodeId, (await create()).body.nodeId];
    expect(made).toEqual([own, shared]);
  });

  test('nobody else’s dedicated node, and one’s own only while the tier has them', async () => {
    const other = await h.organization();
    const { id: nodeId } = await newNode(h, { organization_id: other.id });
    const license = await newLicenseOf(h, organizationId, 'enterprise');
    expect(outcome(await create())).toEqual([412, 'no_capacity']);
    expect(outcome(await create({ nodeId }))).toEqual([404, 'node_not_found']);
    await h.sql`update nodes set organization_id = ${organizationId} where id = ${nodeId}`;
    expect((await create()).body.nodeId).toBe(nodeId);
    await h.sql`update licenses set plan = 'paid' where id = ${license.id}`;
    expect(outcome(await create({ nodeId }))).toEqual([404, 'node_not_found']);
  });

  test.each([
    [{ draining: true }, 'node_draining'],
    [{ last_heartbeat_at: null }, 'node_offline'],
    [{ last_heartbeat_at: new Date(Date.now() - 120_000) }, 'node_offline'],
    [{ memory_mb: 511 }, 'no_capacity'],
  ] as const)('not a node with %j', async (change, reason) => {
    const { id: nodeId } = await newNode(h, change);
    expect(outcome(await create({ nodeId }))).toEqual([412, reason]);
    expect(outcome(await create())).toEqual([412, 'no_capacity']);
  });
});

describe('the quota', () => {
  test('is that of the tier, and says so', async () => {
    await newNode(h);
    for (const _ of [1, 2]) expect((await create()).status).toBe(200);
    const { status, body } = await create();
    expect([status, body.data.reason, body.message]).toEqual([
      412,
      'server_quota_reached',
      'Free Portal has 2 servers, and the organization has 2. Remove one, or get a license for more.',
    ]);
    await newLicenseOf(h, organizationId, 'educational');
    expect((await create()).status).toBe(200);
    expect(outcome(await create())).toEqual([412, 'server_quota_reached']);
    expect((await owner.get('server.count', { organizationId })).body).toEqual({
      count: 3,
      maxServers: 3,
      portalTier: 'educational',
    });
  });

  test('when the tier falls all servers stay and can be run and stopped; nothing new, nothing larger', async () => {
    await newNode(h, { pool: 'paid' });
    const license = await newLicenseOf(h, organizationId);
    const ids: string[] = [];
    for (const _ of [1, 2, 3]) ids.push((await create()).body.id);
    const [serverId = ''] = ids;
    await h.sql`update licenses set expires_at = now() where id = ${license.id}`;
    expect((await owner.get('server.all', { organizationId })).body.items).toHaveLength(3);
    expect((await owner.post('server.setState', { serverId, state: 'stopped' })).status).toBe(200);
    expect((await update(serverId, { name: 'renamed' })).status).toBe(200);
    expect((await update(serverId, { memoryMb: SIZE.memoryMb / 2 })).status).toBe(200);
    expect(outcome(await update(serverId, { memoryMb: SIZE.memoryMb }))).toEqual([
      412,
      'server_quota_reached',
    ]);
    await owner.post('server.remove', { serverId: ids[1] });
    expect(outcome(await create())).toEqual([412, 'server_quota_reached']);
    // Within the quota again, but on a node that its tier may not use.
    expect(outcome(await update(serverId, { memoryMb: SIZE.memoryMb }))).toEqual([412, 'node_not_open']);
  });
});

describe('resizing', () => {
  test('takes and gives back room on the server’s node', async () => {
    const { id: nodeId } = await newNode(h, { memory_mb: 2048, disk_mb: 2048, cpu_percent: 100 });
    const { id } = (await create()).body;
    expect((await update(id, { memoryMb: 2048, diskMb: 2048, cpuPercent: 100 })).status).toBe(200);
    expect(await used(nodeId)).toEqual([2048, 2048, 100]);
    for (const change of [{ memoryMb: 2049 }, { diskMb: 2049 }, { cpuPercent: 101 }]) {
      expect(outcome(await update(id, change))).toEqual([412, 'no_capacity']);
    }
    expect((await update(id, { memoryMb: 64, diskMb: 64, cpuPercent: 1 })).body).toMatchObject({
      memoryMb: 64,
    });
    expect(await used(nodeId)).toEqual([64, 64, 1]);
    expect((await update(id, { memoryMb: 2048, diskMb: 64 })).status).toBe(200);
    await owner.post('server.remove', { serverId: id });
    expect(await used(nodeId)).toEqual([0, 0, 0]);
  });

  test.each([
    [{ draining: true }, 'node_draining'],
    [{ last_heartbeat_at: new Date(0) }, 'node_offline'],
  ] as const)('to more is refused on a node with %j', async (change, reason) => {
    const { id: nodeId } = await newNode(h);
    const { id } = (await create()).body;
    await h.sql`update nodes set ${h.sql(change)} where id = ${nodeId}`;
    expect(outcome(await update(id, { memoryMb: 1024 }))).toEqual([412, reason]);
    expect((await update(id, { memoryMb: 128, name: 'small' })).body).toMatchObject({
      memoryMb: 128,
      name: 'small',
    });
  });

  test('based on an older state is refused', async () => {
    await newNode(h);
    const { id: serverId } = (await create()).body;
    const { headers } = await owner.get('server.one', { serverId });
    const ifMatch = { 'if-match': headers.get('etag') ?? '' };
    expect((await owner.post('server.update', { serverId, name: 'a' }, ifMatch)).status).toBe(200);
    expect((await owner.post('server.update', { serverId, name: 'b' }, ifMatch)).status).toBe(412);
  });

  test.each([
    { memoryMb: 0 },
    { memoryMb: -512 },
    { memoryMb: 512.5 },
    { diskMb: '1024' },
    { cpuPercent: 0 },
    { cpuPercent: 2 ** 53 },
    { name: '' },
    { name: 'a\nb' },
  ])('to %j is refused', async (change) => {
    await newNode(h);
    const { id } = (await create()).body;
    expect((await update(id, change)).status).toBe(400);
    expect((await create(change)).status).toBe(400);
  });
});

describe('who may', () => {
  test('read is every member; change is owners, admins and who has a role for it', async () => {
    await newNode(h);
    const team = await h.organization();
    await newLicenseOf(h, team.id);
    const [admin, member] = [await team.join('admin'), await team.join('member')];
    const input = { organizationId: team.id, name: 'web', ...SIZE };
    expect((await member.post('server.create', input)).status).toBe(403);
    const { id: serverId } = (await admin.post('server.create', input)).body;
    const acts = [
      ['server.update', { serverId, name: 'x' }],
      ['server.setState', { serverId, state: 'stopped' }],
      ['server.remove', { serverId }],
    ] as const;
    expect((await member.get('server.all')).body.items).toMatchObject([{ id: serverId }]);
    expect((await member.get('server.one', { serverId })).status).toBe(200);
    for (const [name, body] of acts) {
      expect((await member.post(name, body)).status).toBe(403);
      expect((await owner.post(name, body)).status).toBe(404);
      expect((await root.post(name, body)).status).toBe(404);
    }
    // Its maker leaves: it stays with the organization, and is out of his reach.
    await admin.post('organization.leave', { organizationId: team.id });
    expect((await admin.get('server.one', { serverId })).status).toBe(404);
    expect((await team.owner.get('server.all', { organizationId: team.id })).body.items).toHaveLength(1);
    for (const [name, body] of acts) expect((await team.owner.post(name, body)).status).toBe(200);
  });

  test('list sees the servers of the organization alone, page by page, by state', async () => {
    await newNode(h);
    await newLicenseOf(h, organizationId);
    const other = await h.organization();
    await newServerOf(h, other.id);
    const made: string[] = [];
    for (const _ of [1, 2, 3]) made.push((await create()).body.id);
    await h.sql`update servers set state = 'failed' where id = ${made[1] ?? ''}`;
    const page = async (query: object) => (await owner.get('server.all', { organizationId, ...query })).body;
    const first = await page({ limit: 2 });
    const second = await page({ limit: 2, cursor: first.nextCursor });
    expect([...first.items, ...second.items].map(({ id }: Body) => id)).toEqual(made);
    expect((await page({ state: 'failed' })).items).toMatchObject([{ id: made[1] }]);
  });
});

describe('an organization is not deleted', () => {
  test('while it has servers, deployments or dedicated nodes', async () => {
    const message =
      'This organization still has 1 server, 1 deployment and 1 dedicated node. Remove or give them back before you delete it.';
    await newNode(h);
    await newLicenseOf(h, organizationId, 'enterprise');
    const { id: nodeId } = await newNode(h);
    await root.post('node.assignOrganization', { nodeId, organizationId });
    const { id: serverId } = (await create()).body;
    const deployment = { name: 'a', subdomain: 'delete-me', baseDomain: 'example.net', componentType: 'api' };
    const { id: deploymentId } = (await owner.post('deployment.create', { organizationId, ...deployment }))
      .body;
    const refused = await owner.post('organization.delete', { organizationId });
    expect([refused.status, refused.body.data.reason, refused.body.message]).toEqual([
      412,
      'organization_in_use',
      message,
    ]);
    const preview = async () => (await owner.get('organization.deletePreview', { organizationId })).body;
    expect(await preview()).toMatchObject({
      deletable: false,
      obstacles: [{ reason: 'organization_in_use', message }],
    });
    await owner.post('server.remove', { serverId });
    await owner.post('deployment.stop', { deploymentId });
    await owner.post('deployment.destroy', { deploymentId });
    expect((await preview()).obstacles[0].message).toContain('still has 1 dedicated node.');
    await root.post('node.unassignOrganization', { nodeId });
    expect(await preview()).toMatchObject({ deletable: true, obstacles: [] });
    expect((await owner.post('organization.delete', { organizationId })).status).toBe(200);
    expect(await h.sql`select 1 from licenses where organization_id = ${organizationId}`).toHaveLength(0);
  });

  test('with the account of its owner either', async () => {
    const someone = await h.user();
    const [{ id }] = (await someone.get('organization.all')).body;
    const serverId = await newServerOf(h, id);
    const remove = () =>
      someone.post('user.remove', {
        userId: 'me',
        currentPassword: 'Correct-horse-1',
        deleteOrganizations: true,
      });
    const refused = await remove();
    expect(outcome(refused)).toEqual([412, 'owns_organizations']);
    expect(refused.body.message).toContain('with 1 server');
    await someone.post('server.remove', { serverId });
    expect((await remove()).status).toBe(200);
  });

  test('nor while a server is being made, at once with it', async () => {
    const { id: nodeId } = await newNode(h);
    const replies = await h.race(organizationId, [
      () => owner.post('organization.delete', { organizationId }),
      () => create({ nodeId }),
    ]);
    const [deleted, made] = replies.map(({ status }) => status);
    expect([
      [200, 404],
      [412, 200],
    ]).toContainEqual([deleted, made]);
  });
});
