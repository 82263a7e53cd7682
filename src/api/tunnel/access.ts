import { z } from 'zod';
import { requireOrganization, requireOwnerOf, requireSelf } from '../../domain/owner/index.ts';
import { requireTunnels } from '../../domain/tunnel/index.ts';
import type { Permission } from '../../kernel/permissions.ts';
import { Id } from '../../kernel/schemas.ts';
import { OrganizationRef } from '../schemas.ts';
import { IN_ORGANIZATION, publicProcedure, signedIn, userProcedure } from '../trpc.ts';

/* Who may call; and only then, whether tunnels are switched on. */

export const publicTunnel = publicProcedure.use(async ({ ctx, next }) => {
  await requireTunnels(ctx.deps, ctx.principal);
  return next();
});

export const userTunnel = userProcedure.meta({ asksSettings: true }).use(async ({ ctx, next }) => {
  await requireTunnels(ctx.deps, ctx.principal);
  return next();
});

/** For an organization with this permission there, or for oneself where none is named. */
export const newOwner = (permission: Permission) =>
  signedIn
    .meta({ access: permission, place: IN_ORGANIZATION, asksSettings: true })
    .input(
      z.object({ organizationId: Id.meta({ description: 'The caller owns it when left out.' }).optional() }),
    )
    .use(async ({ ctx, input: { organizationId }, next }) => {
      const { deps, principal } = ctx;
      const owner =
        organizationId === undefined
          ? requireSelf(principal)
          : await requireOrganization(deps, principal, organizationId, permission);
      await requireTunnels(deps, principal);
      return next({ ctx: { owner } });
    });

/** What an organization, or the caller, owns. */
export const listOfOwner = (permission: Permission) =>
  signedIn
    .meta({ access: permission, place: IN_ORGANIZATION, asksSettings: true })
    .input(
      OrganizationRef.extend({
        scope: z
          .enum(['organization', 'user'])
          .default('organization')
          .meta({ description: 'Whose: those of the organization, or the caller’s own.' }),
      }).prefault({}),
    )
    .use(async ({ ctx, input: { organizationId, scope }, next }) => {
      const { deps, principal } = ctx;
      const owner =
        scope === 'user'
          ? requireSelf(principal)
          : await requireOrganization(deps, principal, organizationId, permission);
      await requireTunnels(deps, principal);
      return next({ ctx: { owner } });
    });

/** The owner of the device that `deviceId` names, or a member with this permission in the organization that owns it. */
export const deviceProcedure = (permission: Permission) =>
  signedIn
    .meta({ access: permission, place: [{ field: 'deviceId', kind: 'tunnelDevice' }], asksSettings: true })
    .input(z.object({ deviceId: Id }))
    .use(async ({ ctx, input, next }) => {
      const { deps, principal } = ctx;
      const owner = await requireOwnerOf(deps, principal, 'tunnelDevice', input.deviceId, permission);
      await requireTunnels(deps, principal);
      return next({ ctx: { owner } });
    });

/** The same for the allocation that `allocationId` names. */
export const allocationProcedure = (permission: Permission) =>
  signedIn
    .meta({
      access: permission,
      place: [{ field: 'allocationId', kind: 'tunnelAllocation' }],
      asksSettings: true,
    })
    .input(z.object({ allocationId: Id }))
    .use(async ({ ctx, input, next }) => {
      const { deps, principal } = ctx;
      const owner = await requireOwnerOf(deps, principal, 'tunnelAllocation', input.allocationId, permission);
      await requireTunnels(deps, principal);
      return next({ ctx: { owner } });
    });
