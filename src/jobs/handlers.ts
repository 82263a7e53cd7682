import type { Deps } from '../domain/deps.ts';
import { invitationMail } from '../domain/invitation/index.ts';
import type { JobName, JobPayloads } from '../domain/job/index.ts';
import type { Mailer } from '../domain/mail.ts';

export type JobContext = { deps: Deps; mailer: Mailer };

/** Does one job, or throws to have it tried again. `jobId` stays the same over retries. */
type Handler<N extends JobName> = (
  context: JobContext,
  jobId: string,
  payload: JobPayloads[N],
) => Promise<void>;

export const handlers: { [N in JobName]: Handler<N> } = {
  'mail.invitation': async ({ deps, mailer }, jobId, payload) => {
    const mail = await invitationMail(deps, jobId, payload);
    if (mail !== undefined) await mailer.send(mail);
  },
};
