import { z } from 'zod';
import { removesOneself, removeUser } from '../../domain/account/index.ts';
import { PASSWORD_ATTEMPTS, requireAttempt } from '../../domain/attempts.ts';
import { PASSWORD_MAX_LENGTH } from '../../kernel/password.ts';
import { UserOrMe } from '../../kernel/schemas.ts';
import { userProcedure } from '../trpc.ts';

export const removalProcedures = {
  remove: userProcedure
    .meta({
      summary: 'Delete an account, or end a membership',
      description:
        "Oneself: the account is deleted; needs currentPassword. Platform administrators delete any account of a lower platform role. Owners and admins end the membership of somebody of a lower rank in the active organization; the account stays, as it is the person's and other organizations may have it. An account that owns organizations is kept (412) until they are transferred or deleted; with deleteOrganizations, those that nobody else belongs to are deleted with it.",
    })
    .input(
      z.object({
        userId: UserOrMe,
        currentPassword: z
          .string()
          .max(PASSWORD_MAX_LENGTH)
          .meta({ description: "Needed for one's own account." })
          .optional(),
        deleteOrganizations: z.boolean().default(false),
      }),
    )
    .output(z.literal(true))
    .mutation(async ({ ctx, input }) => {
      if (removesOneself(ctx.principal, input)) {
        await requireAttempt(ctx.rateLimiter, PASSWORD_ATTEMPTS, ctx.principal.userId);
      }
      await removeUser(ctx.deps, ctx.principal, input);
      return true as const;
    }),
};
