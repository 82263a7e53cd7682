import { z } from 'zod';
import { setUserAvatar } from '../../domain/account/index.ts';
import { avatarUrl, storeAvatar } from '../../domain/avatar/index.ts';
import { NewAvatar, NoAvatar } from '../schemas.ts';
import { userProcedure } from '../trpc.ts';
import { PICTURE_RULES, UploadedFile } from '../upload.ts';

export const avatarProcedures = {
  uploadAvatar: userProcedure
    .meta({
      summary: "Set the caller's picture",
      description: PICTURE_RULES,
      upload: true,
      rateLimit: { name: 'user.uploadAvatar', points: 10, seconds: 60 },
    })
    .input(z.object({ file: UploadedFile }))
    .output(NewAvatar)
    .mutation(async ({ ctx, input }) => {
      const stored = await storeAvatar(ctx.deps, await input.file.read());
      await setUserAvatar(ctx.deps, ctx.principal, stored);
      return { avatarUrl: avatarUrl(ctx.deps.rules, stored.hash) };
    }),

  removeAvatar: userProcedure
    .meta({ summary: "Remove the caller's picture" })
    .output(NoAvatar)
    .mutation(async ({ ctx }) => {
      await setUserAvatar(ctx.deps, ctx.principal, null);
      return { avatarUrl: null };
    }),
};
