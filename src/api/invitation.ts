import { z } from 'zod';
import {
  acceptInvitation,
  type InvitationKey,
  myInvitations,
  previewInvitation,
  rejectInvitation,
} from '../domain/invitation/index.ts';
import { badRequest } from '../kernel/errors.ts';
import { Id, Token } from '../kernel/schemas.ts';
import { INVITATION_TOKENS } from './rate-limits.ts';
import { InvitationPreview, ListPage, Member } from './schemas.ts';
import { publicProcedure, router, userProcedure } from './trpc.ts';

const Answer = z.object({
  token: Token.meta({ description: 'From the mail.' }).optional(),
  invitationId: Id.meta({ description: 'For callers whose address is verified.' }).optional(),
});

function keyOf({ token, invitationId }: z.infer<typeof Answer>): InvitationKey {
  if (token !== undefined && invitationId === undefined) return { token };
  if (invitationId !== undefined && token === undefined) return { invitationId };
  throw badRequest('token', 'token_or_id', 'Send either the token or the invitationId.');
}

export const invitationRouter = router({
  preview: publicProcedure
    .meta({
      summary: 'Read what a token invites to',
      rateLimit: INVITATION_TOKENS,
    })
    .input(z.object({ token: Token }))
    .output(InvitationPreview)
    .query(({ ctx, input }) => previewInvitation(ctx.deps, input.token)),

  accept: userProcedure
    .meta({ summary: 'Join the organization' })
    .input(Answer)
    .output(Member)
    .mutation(({ ctx, input }) => acceptInvitation(ctx.deps, ctx.principal, keyOf(input))),

  reject: userProcedure
    .meta({ summary: 'Turn an invitation down' })
    .input(Answer)
    .output(z.object({ success: z.literal(true) }))
    .mutation(async ({ ctx, input }) => {
      await rejectInvitation(ctx.deps, ctx.principal, keyOf(input));
      return { success: true as const };
    }),

  mine: userProcedure
    .meta({ summary: "List the open invitations of the caller's verified address, newest first" })
    .input(ListPage.prefault({}))
    .output(z.object({ items: z.array(InvitationPreview), nextCursor: Id.nullable() }))
    .query(({ ctx, input: { limit, cursor = null } }) =>
      myInvitations(ctx.deps, ctx.principal, { limit, cursor }),
    ),
});
