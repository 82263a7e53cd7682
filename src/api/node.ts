import { z } from 'zod';
import {
  assignNode,
  createNode,
  heartbeat,
  listNodes,
  NODE_FIELDS,
  nodesFor,
  oneNode,
  removeNode,
  rotateNodeToken,
  unassignNode,
  updateNode,
} from '../domain/node/index.ts';
import { pageOf } from '../kernel/pagination.ts';
import { Id, Name, TextLine } from '../kernel/schemas.ts';
import { NODE_POOLS } from '../kernel/tiers.ts';
import { DESIRED_STATES, SERVER_STATES } from '../kernel/vocabulary.ts';
import { ListPage, Moment } from './schemas.ts';
import { organizationProcedure, platformProcedure, publicProcedure, router } from './trpc.ts';

/** A petabyte in MB, and 10,000 cores: more than machines have, and far from what a number can hold. */
const Capacity = z.number().int().min(1).max(1_000_000_000);
const CpuCapacity = z.number().int().min(1).max(1_000_000).meta({ description: '100 is one core.' });
const Pool = z
  .enum(NODE_POOLS)
  .meta({ description: 'Which organizations a shared node is for; see portal.tiers.' });
const Address = TextLine(253).meta({
  description: 'Where its servers are reached.',
  example: 'n1.example.net',
});
const NodeRef = z.object({ nodeId: Id });

const node = {
  id: Id,
  name: z.string(),
  address: z.string().nullable(),
  pool: z.enum(NODE_POOLS),
  organizationId: Id.nullable().meta({ description: 'Set for a dedicated node; its pool rests then.' }),
  memoryMb: z.number().int(),
  diskMb: z.number().int(),
  cpuPercent: z.number().int(),
  usedMemoryMb: z
    .number()
    .int()
    .meta({ description: 'What its servers may take together, as what follows.' }),
  usedDiskMb: z.number().int(),
  usedCpuPercent: z.number().int(),
  draining: z.boolean().meta({ description: 'Takes no new servers.' }),
  online: z.boolean().meta({ description: 'Whether it was heard of in the last two minutes.' }),
  agentVersion: z.string().nullable(),
  lastHeartbeatAt: Moment.nullable(),
  createdAt: Moment,
  updatedAt: Moment,
};
const Node = z.object(node).meta({ id: 'Node' });
const NodeWithServers = z.object({ ...node, servers: z.number().int() }).meta({ id: 'NodeWithServers' });
const NodeWithToken = z
  .object({ ...node, token: z.string().meta({ description: 'For node.heartbeat. Shown this once.' }) })
  .meta({ id: 'NodeWithToken' });

const managed = platformProcedure('node.manage');

export const nodeRouter = router({
  create: managed
    .meta({
      summary: 'Add a node',
      description:
        'Its agent reports with the token of this answer, and is given servers from its first report on.',
    })
    .input(
      z.object({
        name: Name,
        address: Address.nullish(),
        pool: Pool,
        memoryMb: Capacity,
        diskMb: Capacity,
        cpuPercent: CpuCapacity,
        draining: z.boolean().default(false),
      }),
    )
    .output(NodeWithToken)
    .mutation(({ ctx, input: { address = null, ...input } }) =>
      createNode(ctx.deps, ctx.principal, { ...input, address }),
    ),

  all: managed
    .meta({ summary: 'List the nodes, oldest first' })
    .input(
      ListPage.extend({
        organizationId: Id.meta({ description: 'Those set aside for this organization.' }).optional(),
        pool: Pool.optional(),
        draining: z.boolean().optional(),
      }).prefault({}),
    )
    .output(z.object({ items: z.array(Node), nextCursor: Id.nullable() }))
    .query(({ ctx, input }) => {
      const { organizationId = null, pool = null, draining = null } = input;
      const filter = { organizationId, pool, draining };
      return pageOf(input, (page) => listNodes(ctx.deps, filter, page));
    }),

  one: managed
    .meta({ summary: 'Read a node', version: NODE_FIELDS })
    .input(NodeRef)
    .output(NodeWithServers)
    .query(({ ctx, input }) => oneNode(ctx.deps, input.nodeId)),

  update: managed
    .meta({
      summary: 'Change a node',
      description:
        'Omitted keeps, null clears. draining: true takes no new servers; those that it has stay. It cannot have less than its servers take.',
      version: NODE_FIELDS,
    })
    .input(
      NodeRef.extend({
        name: Name.optional(),
        address: Address.nullish(),
        pool: Pool.optional(),
        memoryMb: Capacity.optional(),
        diskMb: Capacity.optional(),
        cpuPercent: CpuCapacity.optional(),
        draining: z.boolean().optional(),
      }),
    )
    .output(Node)
    .mutation(({ ctx, input: { nodeId, ...changes } }) =>
      updateNode(ctx.deps, ctx.principal, nodeId, changes, ctx.ifMatch),
    ),

  remove: managed
    .meta({
      summary: 'Remove a node',
      description: 'Refused while it has servers or is dedicated. The answer is what was removed.',
    })
    .input(NodeRef)
    .output(Node)
    .mutation(({ ctx, input }) => removeNode(ctx.deps, ctx.principal, input.nodeId)),

  rotateToken: managed
    .meta({ summary: 'Give a node a new token', description: 'The one so far is accepted no more.' })
    .input(NodeRef)
    .output(NodeWithToken)
    .mutation(({ ctx, input }) => rotateNodeToken(ctx.deps, ctx.principal, input.nodeId)),

  assignOrganization: managed
    .meta({
      summary: 'Set a node aside for an organization',
      description:
        'Of the enterprise tier. Refused while servers of others are on it; from then on it takes no others, and this organization’s go there first.',
    })
    .input(NodeRef.extend({ organizationId: Id }))
    .output(Node)
    .mutation(({ ctx, input }) => assignNode(ctx.deps, ctx.principal, input.nodeId, input.organizationId)),

  unassignOrganization: managed
    .meta({ summary: 'Give a dedicated node back to its pool', description: 'The servers on it stay.' })
    .input(NodeRef)
    .output(Node)
    .mutation(({ ctx, input }) => unassignNode(ctx.deps, ctx.principal, input.nodeId)),

  available: organizationProcedure('server:read')
    .meta({ summary: 'List the nodes on which an organization could place a server now' })
    .input(ListPage.prefault({}))
    .output(
      z.object({
        items: z.array(
          z
            .object({
              id: Id,
              name: z.string(),
              address: z.string().nullable(),
              dedicated: z.boolean(),
              freeMemoryMb: z.number().int(),
              freeDiskMb: z.number().int(),
              freeCpuPercent: z.number().int(),
            })
            .meta({ id: 'AvailableNode' }),
        ),
        nextCursor: Id.nullable(),
      }),
    )
    .query(({ ctx, input }) => pageOf(input, (page) => nodesFor(ctx.deps, ctx.actor, page))),

  heartbeat: publicProcedure
    .meta({
      summary: 'Tell how the servers of a node are, by its token, and learn how they are to be',
      description:
        'Servers that the answer does not name are to be removed, those that are not there to be made.',
      rateLimit: { name: 'node.heartbeat', points: 600, seconds: 60, per: 'client' },
      audited: false,
    })
    .input(
      z.object({
        token: z.string().min(1).max(128),
        agentVersion: TextLine(64).optional(),
        servers: z
          .array(z.object({ id: Id, state: z.enum(SERVER_STATES) }))
          .max(1000)
          .default([])
          .meta({ description: 'Those that are left out keep the state that was reported last.' }),
      }),
    )
    .output(
      z.object({
        nodeId: Id,
        nextHeartbeatSeconds: z.number().int(),
        servers: z.array(
          z
            .object({
              id: Id,
              name: z.string(),
              memoryMb: z.number().int(),
              diskMb: z.number().int(),
              cpuPercent: z.number().int(),
              desiredState: z.enum(DESIRED_STATES),
            })
            .meta({ id: 'ServerAssignment' }),
        ),
      }),
    )
    .mutation(({ ctx, input }) => heartbeat(ctx.deps, input)),
});
