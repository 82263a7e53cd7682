import { z } from 'zod';
import { oneUser, ownMember } from '../domain/account/index.ts';
import { createApiKey, deleteApiKey } from '../domain/api-key/index.ts';
import { Id } from '../kernel/schemas.ts';
import { KeyInput, limitsOf } from './api-key.ts';
import { CreatedApiKey, MemberWithUser, Profile } from './schemas.ts';
import { router, userProcedure } from './trpc.ts';

export const userRouter = router({
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
      description: '`me`, a member of the active organization, or any account for platform staff.',
      limitedKeys: 'member:read',
    })
    .input(z.object({ userId: z.union([z.literal('me'), Id]) }))
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

  createApiKey: userProcedure
    .meta({
      summary: 'Create an API key for all organizations of the caller',
      description: 'The organization in metadata is the one meant where a call with the key names none.',
    })
    .input(KeyInput.extend({ metadata: z.object({ organizationId: Id }) }))
    .output(CreatedApiKey)
    .mutation(({ ctx, input }) =>
      createApiKey(ctx.deps, ctx.principal, {
        name: input.name,
        scope: 'user',
        organizationId: input.metadata.organizationId,
        prefix: input.prefix,
        expiresIn: input.expiresIn,
        ...limitsOf(input),
      }),
    ),

  deleteApiKey: userProcedure
    .meta({ summary: 'End an API key at once' })
    .input(z.object({ apiKeyId: Id }))
    .output(z.literal(true))
    .mutation(async ({ ctx, input }) => {
      await deleteApiKey(ctx.deps, ctx.principal, input.apiKeyId);
      return true as const;
    }),
});
