import { z } from 'zod';
import { inviteMember, listInvitations, removeInvitation } from '../../domain/invitation/index.ts';
import { takePage } from '../../kernel/pagination.ts';
import { Email } from '../../kernel/schemas.ts';
import { ArrayPage, GrantableRole, Invitation } from '../schemas.ts';
import { invitationProcedure, organizationProcedure } from '../trpc.ts';

export const invitationProcedures = {
  inviteMember: organizationProcedure('invitation:create')
    .meta({
      summary: 'Invite a person by e-mail',
      description:
        "The invitation is open for 48 hours. Without a role it is the organization's default role, or member.",
    })
    .input(z.object({ email: Email, role: GrantableRole.optional() }))
    .output(Invitation)
    .mutation(({ ctx, input }) =>
      inviteMember(ctx.deps, ctx.actor, { email: input.email, role: input.role }),
    ),

  allInvitations: organizationProcedure('invitation:read')
    .meta({ summary: 'List the invitations of an organization, newest first' })
    .input(ArrayPage.prefault({}))
    .output(z.array(Invitation))
    .query(async ({ ctx, input: { limit, cursor = null } }) => {
      const rows = await listInvitations(ctx.deps, ctx.actor, { limit: limit + 1, cursor });
      const { items, nextCursor } = takePage(rows, limit);
      if (nextCursor !== null) ctx.setHeader('x-next-cursor', nextCursor);
      return items;
    }),

  removeInvitation: invitationProcedure('invitation:delete')
    .meta({ summary: 'Withdraw an invitation' })
    .output(z.array(z.never()))
    .mutation(async ({ ctx, input }) => {
      await removeInvitation(ctx.deps, ctx.actor, input.invitationId);
      return [];
    }),
};
