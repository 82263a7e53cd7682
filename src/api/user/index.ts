import { router } from '../trpc.ts';
import { avatarProcedures } from './avatar.ts';
import { userProcedures } from './core.ts';
import { exportProcedures } from './export.ts';
import { invitationProcedures } from './invitations.ts';
import { keyProcedures } from './keys.ts';
import { memberProcedures } from './members.ts';
import { platformProcedures } from './platform.ts';
import { registrationProcedures } from './registration.ts';
import { removalProcedures } from './removal.ts';
import { sessionProcedures } from './sessions.ts';
import { updateProcedures } from './update.ts';

export const userRouter = router({
  ...userProcedures,
  ...avatarProcedures,
  ...keyProcedures,
  ...platformProcedures,
  ...registrationProcedures,
  ...sessionProcedures,
  ...updateProcedures,
  ...memberProcedures,
  ...invitationProcedures,
  ...removalProcedures,
  ...exportProcedures,
});
