import { z } from 'zod';
import { ACCOUNT_FIELDS, oneUser, ownAccount, ownMember } from '../../domain/account/index.ts';
import { Id, UserOrEmail } from '../../kernel/schemas.ts';
import { Account, MemberWithUser, Profile } from '../schemas.ts';
import { userProcedure } from '../trpc.ts';

export const userProcedures = {
  me: userProcedure
    .meta({ summary: "Read the caller's own account", version: ACCOUNT_FIELDS })
    .output(Account)
    .query(({ ctx }) => ownAccount(ctx.deps, ctx.principal)),

  get: userProcedure
    .meta({
      summary: "Read the caller's membership of the active organization, with profile and keys",
      limitedKeys: 'member:read',
    })
    .output(MemberWithUser)
    .query(({ ctx }) => ownMember(ctx.deps, ctx.principal)),

  one: userProcedure
    .meta({
      summary: 'Read a profile',
      description:
        '`me`, a member of the active organization with member:read there, or any account for platform staff; by the id or by the e-mail address. Members see nothing private of each other.',
      version: ACCOUNT_FIELDS,
      limitedKeys: 'member:read',
    })
    .input(z.object({ userId: UserOrEmail }))
    .output(Profile)
    .query(({ ctx, input }) => oneUser(ctx.deps, ctx.principal, input.userId)),

  session: userProcedure
    .meta({ summary: 'Read who is calling and in which organization', limitedKeys: 'any' })
    .output(
      z.object({
        user: z.object({ id: Id }),
        session: z.object({ id: Id.nullable(), activeOrganizationId: Id.nullable() }),
      }),
    )
    .query(({ ctx: { principal } }) => ({
      user: { id: principal.userId },
      session: { id: principal.sessionId, activeOrganizationId: principal.active?.organizationId ?? null },
    })),
};
