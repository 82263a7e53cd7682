import { z } from 'zod';
import { requireNewOwner, requireOwner } from '../../domain/owner/index.ts';
import type { OfUserKind } from '../../domain/place.ts';
import { requireTunnels } from '../../domain/tunnel/index.ts';
import type { Permission } from '../../kernel/permissions.ts';
import { Id } from '../../kernel/schemas.ts';
import { OrganizationRef } from '../schemas.ts';
import { IN_ORGANIZATION, ownersProcedureOn, publicProcedure, signedIn, userProcedure } from '../trpc.ts';

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
      const owner = await requireNewOwner(deps, principal, organizationId, permission);
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
    .use(async ({ ctx, input, next }) => {
      const { deps, principal } = ctx;
      const owner = await requireOwner(deps, principal, input, permission);
      await requireTunnels(deps, principal);
      return next({ ctx: { owner } });
    });

const ofOwnersOn = <F extends string>(kind: OfUserKind, field: F) => {
  const procedure = ownersProcedureOn(kind, field);
  return (permission: Permission) =>
    procedure(permission)
      .meta({ asksSettings: true })
      .use(async ({ ctx, next }) => {
        await requireTunnels(ctx.deps, ctx.principal);
        return next();
      });
};

export const deviceProcedure = ofOwnersOn('tunnelDevice', 'deviceId');
export const allocationProcedure = ofOwnersOn('tunnelAllocation', 'allocationId');
