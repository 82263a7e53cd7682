import { z } from 'zod';
import { listSessions, revokeSession } from '../../domain/session/index.ts';
import { pageOf } from '../../kernel/pagination.ts';
import { Id } from '../../kernel/schemas.ts';
import { bareList } from '../bare-lists.ts';
import { ArrayPage, Session } from '../schemas.ts';
import { userProcedure } from '../trpc.ts';

/** Dokploy's names for what `session.all` and `session.revoke` do. */
export const sessionProcedures = {
  listSessions: userProcedure
    .meta({ summary: "List the caller's open sessions, newest first", description: 'Without tokens.' })
    .input(ArrayPage.prefault({}))
    .output(z.array(Session))
    .query(({ ctx, input }) =>
      bareList(
        ctx,
        pageOf(input, (page) => listSessions(ctx.deps, ctx.principal, undefined, page)),
      ),
    ),

  revokeSession: userProcedure
    .meta({ summary: "End one of the caller's sessions at once" })
    .input(z.object({ sessionId: Id }))
    .output(z.object({ status: z.literal(true) }))
    .mutation(async ({ ctx, input }) => {
      await revokeSession(ctx.deps, ctx.principal, input.sessionId);
      return { status: true as const };
    }),
};
