import { z } from 'zod';
import { updateMemberRole } from '../../domain/member/index.ts';
import { GrantableRole } from '../schemas.ts';
import { memberProcedure } from '../trpc.ts';

export const memberProcedures = {
  updateMemberRole: memberProcedure('member:update')
    .meta({
      summary: 'Give a member another role',
      description:
        "Not one's own, not on an equal or higher rank, and no role with rights that the caller lacks.",
    })
    .input(z.object({ role: GrantableRole }))
    .output(z.literal(true))
    .mutation(async ({ ctx, input }) => {
      await updateMemberRole(ctx.deps, ctx.actor, input.memberId, input.role);
      return true as const;
    }),
};
