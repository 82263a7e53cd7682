import { router } from '../trpc.ts';
import { avatarProcedures } from './avatar.ts';
import { coreProcedures } from './core.ts';
import { invitationProcedures } from './invitations.ts';
import { licenseProcedures } from './license.ts';
import { memberProcedures } from './members.ts';

export const organizationRouter = router({
  ...coreProcedures,
  ...avatarProcedures,
  ...invitationProcedures,
  ...licenseProcedures,
  ...memberProcedures,
});
