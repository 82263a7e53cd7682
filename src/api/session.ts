import { z } from 'zod';
import { listSessions, logout, logoutAll, revokeSession } from '../domain/session/index.ts';
import { pageOf } from '../kernel/pagination.ts';
import { Id } from '../kernel/schemas.ts';
import { ListPage, Session } from './schemas.ts';
import { router, userProcedure } from './trpc.ts';

const Success = z.object({ success: z.literal(true) });

export const sessionRouter = router({
  all: userProcedure
    .meta({
      summary: 'List open sessions',
      description:
        "The caller's own, newest first; those of any account for platform staff. Never their tokens.",
    })
    .input(ListPage.extend({ userId: Id.optional() }).prefault({}))
    .output(z.object({ items: z.array(Session), nextCursor: Id.nullable() }))
    .query(({ ctx, input }) =>
      pageOf(input, (page) => listSessions(ctx.deps, ctx.principal, input.userId, page)),
    ),

  revoke: userProcedure
    .meta({ summary: "End one of the caller's sessions at once" })
    .input(z.object({ sessionId: Id }))
    .output(Success)
    .mutation(async ({ ctx, input }) => {
      await revokeSession(ctx.deps, ctx.principal, input.sessionId);
      return { success: true as const };
    }),

  logout: userProcedure
    .meta({ summary: 'End the session that this call is made with' })
    .output(Success)
    .mutation(async ({ ctx }) => {
      await logout(ctx.deps, ctx.principal);
      ctx.clearSessionCookie();
      return { success: true as const };
    }),

  logoutAll: userProcedure
    .meta({ summary: 'End every session of the caller, this one too', description: 'API keys stay.' })
    .output(Success)
    .mutation(async ({ ctx }) => {
      await logoutAll(ctx.deps, ctx.principal);
      ctx.clearSessionCookie();
      return { success: true as const };
    }),
});
