import { z } from 'zod';
import { createApiKey, deleteApiKey } from '../../domain/api-key/index.ts';
import { Id } from '../../kernel/schemas.ts';
import { KeyInput, limitsOf } from '../api-key.ts';
import { CreatedApiKey } from '../schemas.ts';
import { userProcedure } from '../trpc.ts';

/** Dokploy's names for making and ending API keys. */
export const keyProcedures = {
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
};
