import { z } from 'zod';
import { PASSWORD_ATTEMPTS, requireAttempt } from '../../domain/attempts.ts';
import {
  addMember,
  leaveOrganization,
  listMembers,
  removeMember,
  updateMemberRole,
} from '../../domain/member/index.ts';
import { transferOwnership } from '../../domain/organization/index.ts';
import { pageOf } from '../../kernel/pagination.ts';
import { PASSWORD_MAX_LENGTH } from '../../kernel/password.ts';
import { Email, Id } from '../../kernel/schemas.ts';
import { INVITATION_MAILS } from '../rate-limits.ts';
import {
  GrantableRole,
  Invitation,
  ListPage,
  Member,
  MemberOfOrganization,
  Organization,
} from '../schemas.ts';
import { memberProcedure, namedMemberProcedure, organizationProcedure } from '../trpc.ts';

const Required = z.object({ organizationId: Id });

export const memberProcedures = {
  members: organizationProcedure('member:read')
    .meta({
      summary: 'List the members of an organization, or search them',
      description: 'Oldest first. `search` is a part of a name or of an e-mail address, in any case.',
    })
    .input(ListPage.extend({ search: z.string().trim().max(254).optional() }).prefault({}))
    .output(z.object({ items: z.array(MemberOfOrganization), nextCursor: Id.nullable() }))
    .query(({ ctx, input }) => {
      const { search = null } = input;
      return pageOf(input, (page) => listMembers(ctx.deps, ctx.actor, { search, ...page }));
    }),

  addMember: organizationProcedure('invitation:create')
    .meta({
      summary: 'Bring a person into an organization',
      description:
        'Answers `invitation`: whoever has the address joins by accepting it, also with an account. Platform staff, in an organization that they own or administer, make an account with a proved address a member at once: then it answers `member`.',
      rateLimit: INVITATION_MAILS,
    })
    .input(z.object({ email: Email, role: GrantableRole.optional() }))
    .output(z.union([z.object({ member: Member }), z.object({ invitation: Invitation })]))
    .mutation(({ ctx, input: { email, role } }) =>
      addMember(ctx.deps, ctx.actor, { email, role }, ctx.rateLimiter),
    ),

  updateMemberRole: memberProcedure('member:update')
    .meta({
      summary: 'Give a member another role',
      description:
        "Not one's own, not on an equal or higher rank, and no role above the caller's own or with rights that the caller lacks.",
    })
    .input(z.object({ role: GrantableRole }))
    .output(z.literal(true))
    .mutation(async ({ ctx, input }) => {
      await updateMemberRole(ctx.deps, ctx.actor, input.memberId, input.role);
      return true as const;
    }),

  removeMember: namedMemberProcedure('member:update')
    .meta({
      summary: 'End the membership of a person of a lower rank',
      description:
        'By memberId, or by userId in the named or active organization. The keys bound to the organization end, sessions mean another one, and open invitations that the person sent fall. The account stays.',
    })
    .output(z.literal(true))
    .mutation(async ({ ctx, input: { memberId, userId } }) => {
      await removeMember(ctx.deps, ctx.actor, { memberId, userId });
      return true as const;
    }),

  leave: organizationProcedure(null)
    .meta({
      summary: "End one's own membership",
      description: 'Refused for the owner (412), who transfers or deletes the organization instead.',
      limitedKeys: 'none',
    })
    .input(Required)
    .output(z.object({ success: z.literal(true) }))
    .mutation(async ({ ctx }) => {
      await leaveOrganization(ctx.deps, ctx.actor);
      return { success: true as const };
    }),

  transferOwnership: organizationProcedure('organization:delete')
    .meta({
      summary: 'Make another member the owner',
      description:
        "For the owner, who becomes an admin. Needs the owner's password, with an API key too. Refused (412) for a new owner who has not proved the e-mail address, is suspended, or owns as many organizations as one may.",
      limitedKeys: 'none',
    })
    .input(
      Required.extend({
        memberId: Id.meta({ description: 'The membership of the new owner.' }),
        currentPassword: z.string().max(PASSWORD_MAX_LENGTH),
      }),
    )
    .output(Organization)
    .mutation(async ({ ctx, input }) => {
      await requireAttempt(ctx.rateLimiter, PASSWORD_ATTEMPTS, ctx.principal.userId);
      return transferOwnership(ctx.deps, ctx.actor, input.memberId, input.currentPassword);
    }),
};
