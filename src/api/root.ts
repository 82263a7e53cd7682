import { apiKeyRouter } from './api-key.ts';
import { auditLogRouter } from './audit-log.ts';
import { invitationRouter } from './invitation.ts';
import { organizationRouter } from './organization/index.ts';
import { settingsRouter } from './settings.ts';
import { router } from './trpc.ts';
import { userRouter } from './user.ts';

export const appRouter = router({
  apiKey: apiKeyRouter,
  auditLog: auditLogRouter,
  invitation: invitationRouter,
  organization: organizationRouter,
  settings: settingsRouter,
  user: userRouter,
});

export type AppRouter = typeof appRouter;
