import { z } from 'zod';
import {
  createServer,
  listServers,
  oneServer,
  removeServer,
  SERVER_FIELDS,
  serverCount,
  setServerState,
  updateServer,
} from '../domain/server/index.ts';
import { pageOf } from '../kernel/pagination.ts';
import { Id, Name } from '../kernel/schemas.ts';
import { TIER_NAMES } from '../kernel/tiers.ts';
import { DESIRED_STATES, SERVER_STATES } from '../kernel/vocabulary.ts';
import { ListPage, Moment } from './schemas.ts';
import { organizationProcedure, procedureOn, router } from './trpc.ts';

const Megabytes = z.number().int().min(64).max(1_000_000_000);
const CpuPercent = z.number().int().min(1).max(1_000_000).meta({ description: '100 is one core.' });

const Server = z
  .object({
    id: Id,
    organizationId: Id,
    nodeId: Id,
    name: z.string(),
    memoryMb: z.number().int(),
    diskMb: z.number().int(),
    cpuPercent: z.number().int(),
    desiredState: z.enum(DESIRED_STATES),
    state: z.enum(SERVER_STATES).meta({ description: 'As its node last said, at reportedAt.' }),
    reportedAt: Moment.nullable(),
    createdAt: Moment,
    updatedAt: Moment,
  })
  .meta({ id: 'Server' });

const serverProcedure = procedureOn('server', 'serverId');

export const serverRouter = router({
  create: organizationProcedure('server:create')
    .meta({
      summary: 'Place a server on a node',
      description:
        'On a dedicated node of the organization where there is room, else on a shared one that its tier may use, where most memory is free. Refused at the tier’s number of servers, and where there is no room. The node makes it after its next heartbeat.',
    })
    .input(
      z.object({
        name: Name,
        memoryMb: Megabytes,
        diskMb: Megabytes,
        cpuPercent: CpuPercent,
        nodeId: Id.nullish().meta({ description: 'Where it must be this node; see node.available.' }),
      }),
    )
    .output(Server)
    .mutation(({ ctx, input: { organizationId: _, nodeId = null, ...server } }) =>
      createServer(ctx.deps, ctx.actor, { ...server, nodeId }),
    ),

  all: organizationProcedure('server:read')
    .meta({ summary: 'List the servers of an organization, oldest first' })
    .input(ListPage.extend({ state: z.enum(SERVER_STATES).optional() }).prefault({}))
    .output(z.object({ items: z.array(Server), nextCursor: Id.nullable() }))
    .query(({ ctx, input }) => {
      const { state = null } = input;
      return pageOf(input, (page) => listServers(ctx.deps, ctx.actor, { state, ...page }));
    }),

  count: organizationProcedure('server:read')
    .meta({ summary: 'Count the servers of an organization, beside what its tier allows' })
    .output(
      z.object({
        count: z.number().int(),
        maxServers: z.number().int().nullable().meta({ description: 'Null is no limit.' }),
        portalTier: z.enum(TIER_NAMES),
      }),
    )
    .query(({ ctx }) => serverCount(ctx.deps, ctx.actor)),

  one: serverProcedure('server:read')
    .meta({ summary: 'Read a server', version: SERVER_FIELDS })
    .output(Server)
    .query(({ ctx, input }) => oneServer(ctx.deps, ctx.actor, input.serverId)),

  update: serverProcedure('server:update')
    .meta({
      summary: 'Rename or resize a server',
      description:
        'Omitted keeps. It stays on its node; what grows is refused where it could not be created there.',
      version: SERVER_FIELDS,
    })
    .input(
      z.object({
        name: Name.optional(),
        memoryMb: Megabytes.optional(),
        diskMb: Megabytes.optional(),
        cpuPercent: CpuPercent.optional(),
      }),
    )
    .output(Server)
    .mutation(({ ctx, input: { serverId, ...changes } }) =>
      updateServer(ctx.deps, ctx.actor, serverId, changes, ctx.ifMatch),
    ),

  setState: serverProcedure('server:update')
    .meta({ summary: 'Start or stop a server', description: 'Its node does so after its next heartbeat.' })
    .input(z.object({ state: z.enum(DESIRED_STATES) }))
    .output(Server)
    .mutation(({ ctx, input }) => setServerState(ctx.deps, ctx.actor, input.serverId, input.state)),

  remove: serverProcedure('server:delete')
    .meta({
      summary: 'Remove a server',
      description:
        'With what is on it, after the next heartbeat of its node. The answer is what was removed.',
    })
    .output(Server)
    .mutation(({ ctx, input }) => removeServer(ctx.deps, ctx.actor, input.serverId)),
});
