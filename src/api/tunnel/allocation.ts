import { z } from 'zod';
import { allocate, closeAllocation, listAllocations } from '../../domain/tunnel/index.ts';
import { router } from '../trpc.ts';
import { allocationProcedure, deviceProcedure, listOfOwner } from './access.ts';
import { Port, Protocol, TunnelAllocation } from './schemas.ts';

export const tunnelAllocationRouter = router({
  create: deviceProcedure('tunnel:create')
    .meta({
      summary: 'Open a public port that leads to a port of a tunnel device',
      description: 'The service chooses the public port. At most 10 are open for one owner.',
    })
    .input(z.object({ protocol: Protocol, targetPort: Port.meta({ description: 'On the device.' }) }))
    .output(TunnelAllocation)
    .mutation(({ ctx, input: { deviceId, ...allocation } }) =>
      allocate(ctx.deps, ctx.owner, deviceId, allocation),
    ),

  all: listOfOwner('tunnel:read')
    .meta({ summary: 'List the open tunnel allocations of an organization, or of the caller' })
    .output(z.array(TunnelAllocation))
    .query(({ ctx }) => listAllocations(ctx.deps, ctx.owner)),

  close: allocationProcedure('tunnel:delete')
    .meta({ summary: 'Close a tunnel allocation', description: 'The answer is what was closed.' })
    .output(TunnelAllocation)
    .mutation(({ ctx, input }) => closeAllocation(ctx.deps, ctx.owner, input.allocationId)),
});
