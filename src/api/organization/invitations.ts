import { z } from 'zod';
import {
  invitationLink,
  inviteMember,
  inviteMembers,
  listInvitations,
  removeInvitation,
  resendInvitation,
} from '../../domain/invitation/index.ts';
import { pageOf } from '../../kernel/pagination.ts';
import { Email } from '../../kernel/schemas.ts';
import { bareList } from '../bare-lists.ts';
import { INVITATION_LISTS, INVITATION_MAILS } from '../rate-limits.ts';
import { ArrayPage, GrantableRole, Invitation, Moment } from '../schemas.ts';
import { invitationProcedure, organizationProcedure } from '../trpc.ts';

const InvitedOrNot = z
  .union([
    z.object({ email: z.string(), status: z.literal('invited'), invitation: Invitation }),
    z.object({ email: z.string(), status: z.literal('refused'), reason: z.string(), message: z.string() }),
  ])
  .meta({ id: 'InvitedOrNot' });

export const invitationProcedures = {
  inviteMember: organizationProcedure('invitation:create')
    .meta({
      summary: 'Invite a person by e-mail',
      description:
        "The invitation is open for 48 hours. Without a role it is the organization's default role, or member. One person sends one address 3 invitations in 15 minutes.",
      rateLimit: INVITATION_MAILS,
    })
    .input(z.object({ email: Email, role: GrantableRole.optional() }))
    .output(Invitation)
    .mutation(({ ctx, input }) =>
      inviteMember(ctx.deps, ctx.actor, { email: input.email, role: input.role }, ctx.rateLimiter),
    ),

  inviteMembers: organizationProcedure('invitation:create')
    .meta({
      summary: 'Invite up to 100 people by e-mail',
      description:
        'Answers for each, in the order given, whether it is invited, or why it is not: one that is refused keeps no other from being invited. The reasons are those of organization.inviteMember, and `duplicate` for an address that comes twice.',
      rateLimit: INVITATION_LISTS,
    })
    .input(
      z.object({
        invitations: z
          .array(z.object({ email: Email, role: GrantableRole.optional() }))
          .min(1)
          .max(100),
      }),
    )
    .output(z.array(InvitedOrNot))
    .mutation(async ({ ctx, input }) => {
      const outcomes = await inviteMembers(ctx.deps, ctx.actor, input.invitations, ctx.rateLimiter);
      return outcomes.map((outcome) => {
        if ('invitation' in outcome) return { ...outcome, status: 'invited' as const };
        const { reason, message } = outcome.refusal;
        return { email: outcome.email, status: 'refused' as const, reason, message };
      });
    }),

  allInvitations: organizationProcedure('invitation:read')
    .meta({ summary: 'List the invitations of an organization, newest first' })
    .input(ArrayPage.prefault({}))
    .output(z.array(Invitation))
    .query(({ ctx, input }) =>
      bareList(
        ctx,
        pageOf(input, (page) => listInvitations(ctx.deps, ctx.actor, page)),
      ),
    ),

  resendInvitation: invitationProcedure('invitation:create')
    .meta({
      summary: "Send an invitation's mail again",
      description:
        'With a new link, open for 48 hours from now; the link before ends at once, and an expired invitation is open again. At most once in 60 seconds, and 3 mails by one person to one address in 15 minutes.',
      rateLimit: INVITATION_MAILS,
    })
    .output(Invitation)
    .mutation(({ ctx, input }) => resendInvitation(ctx.deps, ctx.actor, input.invitationId, ctx.rateLimiter)),

  invitationLink: invitationProcedure('invitation:create')
    .meta({
      summary: 'Make a new link to an invitation, to hand over where mail does not arrive',
      description:
        'Sends no mail. The link is open for 48 hours from now, for the invited address only; the link before ends at once, and an expired invitation is open again.',
    })
    .output(z.object({ url: z.url(), expiresAt: Moment }))
    .mutation(({ ctx, input }) => invitationLink(ctx.deps, ctx.actor, input.invitationId)),

  removeInvitation: invitationProcedure('invitation:delete')
    .meta({ summary: 'Withdraw an invitation' })
    .output(z.array(z.never()))
    .mutation(async ({ ctx, input }) => {
      await removeInvitation(ctx.deps, ctx.actor, input.invitationId);
      return [];
    }),
};
