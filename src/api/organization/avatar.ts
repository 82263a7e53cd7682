import { z } from 'zod';
import { avatarUrl, storeAvatar } from '../../domain/avatar/index.ts';
import { setOrganizationAvatar } from '../../domain/organization/index.ts';
import { NewAvatar, NoAvatar } from '../schemas.ts';
import { organizationProcedure } from '../trpc.ts';
import { PICTURE_RULES, UploadedFile } from '../upload.ts';

export const avatarProcedures = {
  uploadAvatar: organizationProcedure('organization:update')
    .meta({
      summary: "Set an organization's picture",
      description: PICTURE_RULES,
      upload: true,
      rateLimit: { name: 'organization.uploadAvatar', points: 10, seconds: 60 },
    })
    .input(z.object({ file: UploadedFile }))
    .output(NewAvatar)
    .mutation(async ({ ctx, input }) => {
      const stored = await storeAvatar(ctx.deps, await input.file.read());
      await setOrganizationAvatar(ctx.deps, ctx.actor, stored);
      return { avatarUrl: avatarUrl(ctx.deps.rules, stored.hash) };
    }),

  removeAvatar: organizationProcedure('organization:update')
    .meta({ summary: "Remove an organization's picture" })
    .output(NoAvatar)
    .mutation(async ({ ctx }) => {
      await setOrganizationAvatar(ctx.deps, ctx.actor, null);
      return { avatarUrl: null };
    }),
};
