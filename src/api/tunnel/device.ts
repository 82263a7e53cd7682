import { z } from 'zod';
import {
  allocationsOf,
  approveEnrolment,
  denyEnrolment,
  listDevices,
  pollEnrolment,
  previewEnrolment,
  removeDevice,
  requireDevice,
  requireTunnels,
  startEnrolment,
} from '../../domain/tunnel/index.ts';
import { pageOf } from '../../kernel/pagination.ts';
import { Id, Name } from '../../kernel/schemas.ts';
import type { DeclaredLimit } from '../rate-limits.ts';
import { ListPage } from '../schemas.ts';
import { publicProcedure, router } from '../trpc.ts';
import { deviceProcedure, listOfOwner, newOwner, publicTunnel, userTunnel } from './access.ts';
import {
  DeviceAuthorization,
  DeviceCode,
  DeviceToken,
  EnrolledTunnelDevice,
  TunnelAllocation,
  TunnelDevice,
  TunnelRequest,
  UserCode,
} from './schemas.ts';

const byClient = (name: string, points: number): DeclaredLimit => ({
  name: `tunnelDevice.${name}`,
  points,
  seconds: 60,
  per: 'client',
});

/** Whatever takes a user code counts together: 34 bits that live for ten minutes are out of reach then. */
const USER_CODES: readonly DeclaredLimit[] = [
  { name: 'tunnelDevice.userCodes', points: 40, seconds: 900 },
  { name: 'tunnelDevice.userCodes.client', points: 200, seconds: 900, per: 'client' },
];

export const tunnelDeviceRouter = router({
  start: publicTunnel
    .meta({
      summary: 'Ask, as a device, to be taken in',
      description:
        'As in RFC 8628: a person types the user code at verificationUri, while the device polls by its device code. Both work for ten minutes and once.',
      rateLimit: byClient('start', 20),
      audited: false,
    })
    .input(z.object({ name: Name.meta({ description: 'What the device calls itself.' }) }))
    .output(DeviceAuthorization)
    .mutation(({ ctx, input }) => startEnrolment(ctx.deps, ctx.origin, input.name)),

  poll: publicTunnel
    .meta({
      summary: 'Fetch, as a device, the token once somebody has approved',
      description:
        'Until then 400, whose reason is authorization_pending, or slow_down where the device polled before its interval was over, which makes the interval 5 seconds longer; Retry-After has it. access_denied and expired_token are final.',
      rateLimit: byClient('poll', 240),
      polled: true,
    })
    .input(z.object({ deviceCode: DeviceCode }))
    .output(EnrolledTunnelDevice)
    .mutation(({ ctx, input }) => pollEnrolment(ctx.deps, ctx.origin, input.deviceCode)),

  preview: userTunnel
    .meta({ summary: 'Read what the device that shows a user code says of itself', rateLimit: USER_CODES })
    .input(z.object({ userCode: UserCode }))
    .output(TunnelRequest)
    .query(({ ctx, input }) => previewEnrolment(ctx.deps, input.userCode)),

  approve: newOwner('tunnel:create')
    .meta({
      summary: 'Let the device that shows a user code in',
      description:
        'For the organization, or for the caller when organizationId is left out. At most 100 devices an owner.',
      rateLimit: USER_CODES,
    })
    .input(z.object({ userCode: UserCode }))
    .output(TunnelRequest)
    .mutation(({ ctx, input }) => approveEnrolment(ctx.deps, ctx.owner, input.userCode)),

  deny: userTunnel
    .meta({ summary: 'Turn down the device that shows a user code', rateLimit: USER_CODES })
    .input(z.object({ userCode: UserCode }))
    .output(TunnelRequest)
    .mutation(({ ctx, input }) => denyEnrolment(ctx.deps, ctx.principal, input.userCode)),

  all: listOfOwner('tunnel:read')
    .meta({ summary: 'List the tunnel devices of an organization, or of the caller' })
    .input(ListPage.prefault({}))
    .output(z.object({ items: z.array(TunnelDevice), nextCursor: Id.nullable() }))
    .query(({ ctx, input }) => pageOf(input, (page) => listDevices(ctx.deps, ctx.owner, page))),

  remove: deviceProcedure('tunnel:delete')
    .meta({
      summary: 'Remove a tunnel device',
      description:
        'Its token opens nothing any more and its allocations are closed. The answer is what was removed.',
    })
    .output(TunnelDevice)
    .mutation(({ ctx, input }) => removeDevice(ctx.deps, ctx.owner, input.deviceId)),

  allocations: publicProcedure
    .meta({
      summary: 'List, as a device, the allocations that it serves',
      description:
        'By the token that tunnelDevice.poll gave, which is sent in the body: an address is no place for a secret.',
      rateLimit: byClient('allocations', 600),
      audited: false,
    })
    .input(z.object({ token: DeviceToken }))
    .output(z.array(TunnelAllocation))
    .mutation(async ({ ctx, input }) => {
      const device = await requireDevice(ctx.deps, input.token);
      await requireTunnels(ctx.deps, ctx.principal);
      return allocationsOf(ctx.deps, device);
    }),
});
