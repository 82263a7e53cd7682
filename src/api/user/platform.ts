import { z } from 'zod';
import { setPlatformRole, suspendUser, unsuspendUser } from '../../domain/account/index.ts';
import { PLATFORM_ROLES } from '../../kernel/permissions.ts';
import { Id, TextLine } from '../../kernel/schemas.ts';
import { Account } from '../schemas.ts';
import { platformProcedure } from '../trpc.ts';

const UserRef = z.object({ userId: Id });

/** What platform staff do with the accounts of others. */
export const platformProcedures = {
  suspend: platformProcedure('user.suspend')
    .meta({
      summary: 'Refuse every credential of an account at once',
      description:
        'Sessions end; API keys and the invitations that the account has sent rest until the suspension is lifted. The holder is told.',
    })
    .input(UserRef.extend({ reason: TextLine(500).nullable().optional() }))
    .output(Account)
    .mutation(({ ctx, input }) => suspendUser(ctx.deps, ctx.principal, input.userId, input.reason ?? null)),

  unsuspend: platformProcedure('user.suspend')
    .meta({ summary: 'Lift a suspension' })
    .input(UserRef)
    .output(Account)
    .mutation(({ ctx, input }) => unsuspendUser(ctx.deps, ctx.principal, input.userId)),

  setPlatformRole: platformProcedure('user.setPlatformRole')
    .meta({
      summary: 'Give an account another platform role',
      description: "Below the caller's own; a rootAdmin is made on the command line only.",
    })
    .input(UserRef.extend({ role: z.enum(PLATFORM_ROLES) }))
    .output(Account)
    .mutation(({ ctx, input }) => setPlatformRole(ctx.deps, ctx.principal, input.userId, input.role)),
};
