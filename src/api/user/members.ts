import { z } from 'zod';
import { countOrganizations, createMember } from '../../domain/account/index.ts';
import { assignPermissions, listMembers } from '../../domain/member/index.ts';
import { requireActor, requireMembership } from '../../domain/organization/index.ts';
import { isLimited } from '../../domain/principal.ts';
import { pageOf } from '../../kernel/pagination.ts';
import { PASSWORD_MAX_LENGTH, PASSWORD_MIN_LENGTH } from '../../kernel/password.ts';
import { can, permissionTable } from '../../kernel/permissions.ts';
import { Email, Id, UserOrMe } from '../../kernel/schemas.ts';
import { bareList } from '../bare-lists.ts';
import {
  ArrayPage,
  GrantableRole,
  MemberOfOrganization,
  OrganizationRef,
  PermissionFlags,
  Role,
} from '../schemas.ts';
import { IN_ORGANIZATION, organizationProcedure, platformProcedure, userProcedure } from '../trpc.ts';

const reach = z.array(z.string().max(64));

/** Dokploy's names for what a single member may reach and do. */
const MemberFlags = z.object({
  accessedProjects: reach,
  accessedEnvironments: reach,
  accessedServices: reach,
  accessedGitProviders: reach,
  accessedServers: reach,
  canCreateProjects: z.boolean(),
  canCreateServices: z.boolean(),
  canDeleteProjects: z.boolean(),
  canDeleteServices: z.boolean(),
  canAccessToDocker: z.boolean(),
  canAccessToTraefikFiles: z.boolean(),
  canAccessToAPI: z.boolean(),
  canAccessToSSHKeys: z.boolean(),
  canAccessToGitProviders: z.boolean(),
  canDeleteEnvironments: z.boolean(),
  canCreateEnvironments: z.boolean(),
});

export const memberProcedures = {
  all: organizationProcedure('member:read')
    .meta({ summary: 'List the members of an organization with their accounts, oldest first' })
    .input(ArrayPage.prefault({}))
    .output(z.array(MemberOfOrganization))
    .query(({ ctx, input }) =>
      bareList(
        ctx,
        pageOf(input, (page) => listMembers(ctx.deps, ctx.actor, page)),
      ),
    ),

  getPermissions: userProcedure
    .meta({
      summary: 'Read what the caller may do in an organization',
      description:
        'By resource and action: what the role allows and, with an API key, the key too. All false for who names none and belongs to none.',
      limitedKeys: 'any',
      place: IN_ORGANIZATION,
    })
    .input(OrganizationRef.prefault({}))
    .output(PermissionFlags)
    .query(async ({ ctx: { deps, principal }, input: { organizationId } }) => {
      const membership =
        organizationId === undefined
          ? principal.active
          : await requireMembership(deps, principal, organizationId);
      return permissionTable(
        (permission) => membership !== null && can(membership.grant, permission, principal.key?.permissions),
      );
    }),

  haveRootAccess: userProcedure
    .meta({
      summary: 'Tell whether the caller is a rootAdmin of the installation',
      description: 'False with a limited API key, which carries no right over the installation.',
      limitedKeys: 'any',
    })
    .output(z.boolean())
    .query(({ ctx: { principal } }) => principal.platformRole === 'rootAdmin' && !isLimited(principal.key)),

  checkUserOrganizations: userProcedure
    .meta({
      summary: 'Count the organizations of an account',
      description:
        'All of them for oneself and for platform staff. Of a member of the active organization, those that the caller belongs to as well. Anybody else is not found.',
    })
    .input(z.object({ userId: UserOrMe }))
    .output(z.number().int())
    .query(({ ctx, input }) => countOrganizations(ctx.deps, ctx.principal, input.userId)),

  createUserWithCredentials: platformProcedure(
    'user.create',
    'Invite people with organization.inviteMember instead.',
  )
    .meta({
      summary: 'Create an account with a given password, as a member of an organization',
      description:
        "For platform administrators, in an organization that they own or administer. The address is new here and stays unverified, and the account gets no organization of its own. Everybody else invites people with organization.inviteMember: whoever sets another person's password could take an address that is not his.",
    })
    .input(
      OrganizationRef.extend({
        email: Email,
        password: z.string().min(PASSWORD_MIN_LENGTH).max(PASSWORD_MAX_LENGTH),
        role: GrantableRole,
      }),
    )
    .output(z.object({ id: Id, memberId: Id, organizationId: Id, email: z.string(), role: Role }))
    .mutation(async ({ ctx, input: { organizationId, ...account } }) => {
      const actor = await requireActor(ctx.deps, ctx.principal, organizationId, 'invitation:create');
      return createMember(ctx.deps, actor, account);
    }),

  assignPermissions: organizationProcedure('member:update')
    .meta({
      summary: "Dokploy's rights of a single member, which follow from the role here",
      description:
        'Writes nothing. Accepted when it asks for what holds anyway: canAccessToAPI and canAccessToSSHKeys true, every other switch false and every list empty. Anything else is refused with 412; change the role with organization.updateMemberRole. `id` is that of the account or of the membership.',
      audited: false,
    })
    .input(MemberFlags.extend({ id: Id }))
    .output(z.literal(true))
    .mutation(async ({ ctx, input: { id, organizationId: _, ...flags } }) => {
      await assignPermissions(ctx.deps, ctx.actor, id, flags);
      return true as const;
    }),

  generateToken: userProcedure
    .meta({
      summary: "Dokploy's placeholder for a token",
      description:
        'Answers the word "token" and does nothing, as in Dokploy. Make an API key with user.createApiKey.',
      audited: false,
    })
    .output(z.literal('token'))
    .mutation(() => 'token' as const),
};
