import { z } from 'zod';
import { invitationByToken, myInvitations, sendInvitation } from '../../domain/invitation/index.ts';
import { Id } from '../../kernel/schemas.ts';
import { bareList } from '../bare-lists.ts';
import { INVITATION_MAILS, INVITATION_TOKENS } from '../rate-limits.ts';
import { ArrayPage, Invitation, OpenInvitation } from '../schemas.ts';
import { invitationProcedure, publicProcedure, userProcedure } from '../trpc.ts';

/** Dokploy's names for what an invited person and the inviter do. */
export const invitationProcedures = {
  getInvitations: userProcedure
    .meta({
      summary:
        "List the open invitations of the caller's verified address, newest first, with their organizations",
    })
    .input(ArrayPage.prefault({}))
    .output(
      z.array(
        OpenInvitation.extend({
          organization: z.object({ id: Id, name: z.string() }),
        }),
      ),
    )
    .query(async ({ ctx, input: { limit, cursor = null } }) => {
      const invitations = await bareList(ctx, myInvitations(ctx.deps, ctx.principal, { limit, cursor }));
      return invitations.map((invitation) => ({
        ...invitation,
        organization: { id: invitation.organizationId, name: invitation.organizationName },
      }));
    }),

  getUserByToken: publicProcedure
    .meta({
      summary: 'Read what a token invites to, and whether the invited address has an account',
      description:
        'For the page that an invitation leads to. Used, withdrawn and replaced tokens are not found; an expired one says so.',
      rateLimit: INVITATION_TOKENS,
    })
    .input(z.object({ token: z.string().min(1).max(128) }))
    .output(
      OpenInvitation.extend({
        isExpired: z.boolean(),
        userAlreadyExists: z.boolean(),
      }),
    )
    .query(({ ctx, input }) => invitationByToken(ctx.deps, input.token)),

  sendInvitation: invitationProcedure('invitation:create')
    .meta({
      summary: "Send an invitation's mail again",
      description:
        'As organization.resendInvitation, but to an address that the caller has just invited no second mail is sent. The mail goes by the mail service of this installation, so notificationId is ignored. Answers the invitation where Dokploy answers the link, which is for the invited address only.',
      rateLimit: INVITATION_MAILS,
    })
    .input(z.object({ notificationId: z.string().min(1).max(64).optional() }))
    .output(Invitation)
    .mutation(({ ctx, input }) => sendInvitation(ctx.deps, ctx.actor, input.invitationId, ctx.rateLimiter)),
};
