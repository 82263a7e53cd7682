import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { TIERS, type Tier } from '../../src/kernel/tiers.ts';
import { createHarness, type Harness, type Reply, type TestUser, UNLIMITED } from '../support/harness.ts';

/*
 * Two tenants, three nodes, three licenses, and whatever anybody calls in whatever order: what may never be is looked
 * for after every call.
 */

const SECONDS = 10;
const DAY_MS = 86_400_000;

let h: Harness;
let root: TestUser;
let owners: [TestUser, TestUser];
beforeAll(async () => {
  h = await createHarness({ MAX_ORGANIZATIONS_PER_USER: '100000' }, { rateLimiter: UNLIMITED });
  root = await h.user();
  owners = [await h.user(), await h.user()];
});
afterAll(() => h[Symbol.asyncDispose]());

const which = fc.nat(2);
const tenant = fc.nat(1);
const size = fc.record({
  memoryMb: fc.constantFrom(64, 256, 512),
  diskMb: fc.constantFrom(64, 700),
  cpuPercent: fc.constantFrom(1, 60),
});
const commands = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constant('create' as const), tenant, size, node: fc.option(which) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('resize' as const), tenant, server: fc.nat(5), size }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('remove' as const), tenant, server: fc.nat(5) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('license' as const), tenant, license: which }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('unlicense' as const), tenant }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('plan' as const),
      license: which,
      plan: fc.constantFrom<Tier>('free', 'paid', 'educational', 'enterprise', 'enterprise'),
      active: fc.boolean(),
      days: fc.option(fc.nat(2)),
    }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('assign' as const), node: which, tenant }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('unassign' as const), node: which }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('node' as const),
      node: which,
      memoryMb: fc.constantFrom(512, 1024, 2048),
      pool: fc.constantFrom('free', 'paid', 'free_and_paid'),
      draining: fc.boolean(),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('tomorrow' as const) }) },
);
type Command = typeof commands extends fc.Arbitrary<infer T> ? T : never;

const small = { memoryMb: 64, diskMb: 64, cpuPercent: 1 } as const;
const wide = { ...small, diskMb: 700 } as const;
/** Comes before the random ones, and meets with whatever there is to meet. */
const known: Command[] = [
  { do: 'assign', node: 1, tenant: 0 }, // on the free plan
  { do: 'create', tenant: 0, size: small, node: 1 },
  { do: 'create', tenant: 0, size: small, node: 1 },
  { do: 'create', tenant: 0, size: small, node: 1 },
  { do: 'resize', tenant: 0, server: 0, size: { ...small, memoryMb: 256 } },
  { do: 'license', tenant: 0, license: 0 },
  { do: 'license', tenant: 1, license: 0 },
  { do: 'assign', node: 1, tenant: 0 },
  { do: 'create', tenant: 0, size: small, node: null },
  { do: 'create', tenant: 1, size: small, node: 1 }, // set aside for another
  { do: 'create', tenant: 0, size: wide, node: 2 },
  { do: 'create', tenant: 0, size: wide, node: 2 },
  { do: 'create', tenant: 0, size: wide, node: 2 },
];

/** Two organizations, three nodes and three licenses of their own, beside which nothing is. */
async function newWorld() {
  await h.sql`delete from servers`;
  await h.sql`delete from nodes`;
  const organizations = [(await h.organization(owners[0])).id, (await h.organization(owners[1])).id];
  const [nodes, licenses]: [string[], string[]] = [[], []];
  for (const n of [0, 1, 2]) {
    const node = { name: `n${n}`, pool: 'free_and_paid', memoryMb: 1024, diskMb: 2000, cpuPercent: 150 };
    nodes.push((await root.post('node.create', node)).body.id);
    licenses.push((await root.post('license.create', { plan: n === 0 ? 'enterprise' : 'paid' })).body.id);
  }
  return { organizations, nodes, licenses };
}
type World = Awaited<ReturnType<typeof newWorld>>;

async function serverOf(organizationId: string | undefined, index: number): Promise<string | undefined> {
  const rows = await h.sql<{ id: string }[]>`
    select id from servers where organization_id = ${organizationId ?? null} order by id`;
  return rows[index % Math.max(1, rows.length)]?.id;
}

async function run(command: Command, { organizations, nodes, licenses }: World): Promise<Reply | undefined> {
  const organizationId = 'tenant' in command ? organizations[command.tenant] : undefined;
  const owner = 'tenant' in command ? owners[command.tenant as 0 | 1] : root;
  const nodeId = 'node' in command && command.node !== null ? nodes[command.node] : undefined;
  const licenseId = 'license' in command ? licenses[command.license] : undefined;
  const serverId = 'server' in command ? await serverOf(organizationId, command.server) : undefined;
  const needsServer = command.do === 'resize' || command.do === 'remove';
  if (needsServer && serverId === undefined) return undefined;
  switch (command.do) {
    case 'create':
      return owner.post('server.create', { organizationId, name: 's', ...command.size, nodeId });
    case 'resize':
      return owner.post('server.update', { serverId, ...command.size });
    case 'remove':
      return owner.post('server.remove', { serverId });
    case 'license':
      return root.post('organization.assignLicense', { organizationId, licenseId });
    case 'unlicense':
      return root.post('organization.unassignLicense', { organizationId });
    case 'plan': {
      const { plan, active, days } = command;
      const expiresAt =
        days === null ? null : new Date(h.app.deps.now().getTime() + days * DAY_MS).toISOString();
      return root.post('license.update', { licenseId, plan, active, expiresAt });
    }
    case 'assign':
      return root.post('node.assignOrganization', { nodeId, organizationId });
    case 'unassign':
      return root.post('node.unassignOrganization', { nodeId });
    case 'node': {
      const { memoryMb, pool, draining } = command;
      return root.post('node.update', { nodeId, memoryMb, pool, draining });
    }
    case 'tomorrow':
      h.clock.advance(DAY_MS);
      await h.sql`update nodes set last_heartbeat_at = ${h.app.deps.now()}`;
      return undefined;
  }
}

type Placed = {
  id: string;
  organizationId: string;
  nodeId: string;
  memoryMb: number;
  diskMb: number;
  cpuPercent: number;
  dedicatedTo: string | null;
  draining: boolean;
  pool: string;
};
const placed = () => h.sql<Placed[]>`
  select s.id, s.organization_id, s.node_id, s.memory_mb::int, s.disk_mb::int, s.cpu_percent::int,
    n.organization_id as dedicated_to, n.draining, n.pool
  from servers s join nodes n on n.id = s.node_id order by s.id`;

/** The tier by the table of licenses, worked out here again. */
async function tierOf(organizationId: string): Promise<Tier> {
  const rows = await h.sql<{ plan: Tier; active: boolean; expiresAt: Date | null }[]>`
    select plan, active, expires_at from licenses where organization_id = ${organizationId}`;
  expect(rows.length, 'licenses of one organization').toBeLessThanOrEqual(1);
  const [license] = rows;
  const isOver = license?.expiresAt != null && license.expiresAt <= h.app.deps.now();
  return license === undefined || !license.active || isOver ? 'free' : license.plan;
}

/** What holds at every moment. */
async function check(servers: Placed[]): Promise<void> {
  const foreign = servers.filter(
    ({ dedicatedTo, organizationId }) => (dedicatedTo ?? organizationId) !== organizationId,
  );
  expect(foreign, 'servers on a node of another organization').toEqual([]);
  const over = await h.sql`
    select n.id from nodes n left join servers s on s.node_id = n.id group by n.id
    having coalesce(sum(s.memory_mb), 0) <> n.used_memory_mb or n.used_memory_mb > n.memory_mb
      or coalesce(sum(s.disk_mb), 0) <> n.used_disk_mb or n.used_disk_mb > n.disk_mb
      or coalesce(sum(s.cpu_percent), 0) <> n.used_cpu_percent or n.used_cpu_percent > n.cpu_percent`;
  expect(over, 'nodes whose servers take another amount than is written, or too much').toEqual([]);
}

/** What holds for a server that was just made, or that has just grown. */
async function checkNew(server: Placed, servers: Placed[]): Promise<void> {
  const tier = await tierOf(server.organizationId);
  const { maxServers, dedicatedNodes } = TIERS[tier];
  const own = servers.filter(({ organizationId }) => organizationId === server.organizationId);
  expect(own.length, `servers of tier ${tier}`).toBeLessThanOrEqual(maxServers ?? Number.POSITIVE_INFINITY);
  expect(server.draining).toBe(false);
  if (server.dedicatedTo === null) expect(TIERS[tier].pools).toContain(server.pool);
  else expect(dedicatedNodes).toBe(true);
}

const hasGrown = (now: Placed, before: Placed) =>
  now.memoryMb > before.memoryMb || now.diskMb > before.diskMb || now.cpuPercent > before.cpuPercent;

test('no sequence of calls breaks a quota, a capacity, a dedication or the one license of an organization', {
  timeout: 60_000,
}, async () => {
  const outcomes = new Map<string, number>();
  await fc.assert(
    fc.asyncProperty(fc.array(commands, { minLength: 15, maxLength: 40 }), async (sequence) => {
      const world = await newWorld();
      await h.sql`update nodes set last_heartbeat_at = ${h.app.deps.now()}`;
      let before = await placed();
      for (const command of sequence) {
        const reply = await run(command, world);
        if (reply !== undefined) {
          const outcome = `${command.do} ${reply.body.data?.reason ?? reply.status}`;
          outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
          expect(reply.status, reply.text).toBeLessThan(500);
        }
        const now = await placed();
        await check(now);
        for (const server of now) {
          const former = before.find(({ id }) => id === server.id);
          if (former === undefined || hasGrown(server, former)) await checkNew(server, now);
        }
        before = now;
      }
    }),
    {
      examples: [[known]],
      interruptAfterTimeLimit: SECONDS * 1000,
      markInterruptAsFailure: false,
      numRuns: 10_000,
      endOnFailure: true,
    },
  );
  // The commands do what they are there for.
  for (const outcome of [
    ...['create 200', 'create server_quota_reached', 'create no_capacity', 'create node_not_found'],
    ...['assign 200', 'assign enterprise_required', 'resize 200', 'license license_assigned'],
  ]) {
    expect([...outcomes.keys()]).toContain(outcome);
  }
});
