import { z } from 'zod';
import { listSessions, revokeSession } from '../../domain/session/index.ts';
import { Id } from '../../kernel/schemas.ts';
import { Session } from '../schemas.ts';
import { userProcedure } from '../trpc.ts';

const MOST = 1000;

/** Dokploy's names for what `session.all` and `session.revoke` do. */
export const sessionProcedures = {
  listSessions: userProcedure
    .meta({ summary: "List the caller's open sessions", description: 'The newest 1,000, without tokens.' })
    .output(z.array(Session))
    .query(({ ctx }) => listSessions(ctx.deps, ctx.principal, undefined, { limit: MOST })),

  revokeSession: userProcedure
    .meta({ summary: "End one of the caller's sessions at once" })
    .input(z.object({ sessionId: Id }))
    .output(z.object({ status: z.literal(true) }))
    .mutation(async ({ ctx, input }) => {
      await revokeSession(ctx.deps, ctx.principal, input.sessionId);
      return { status: true as const };
    }),
};
