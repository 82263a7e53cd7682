import { z } from 'zod';
import { publicProcedure, router } from './trpc.ts';

export const settingsRouter = router({
  health: publicProcedure
    .meta({ summary: 'Tell that the service answers' })
    .output(z.object({ status: z.literal('ok') }))
    .query(() => ({ status: 'ok' as const })),
});
