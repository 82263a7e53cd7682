import { collectAvatar } from '../domain/avatar/index.ts';
import type { Deps } from '../domain/deps.ts';
import { linkMail, sendLink } from '../domain/email-link/index.ts';
import { invitationMail } from '../domain/invitation/index.ts';
import type { JobName, JobPayloads } from '../domain/job/index.ts';
import type { Mailer } from '../domain/mail.ts';
import { noticeMail } from '../domain/notice/index.ts';
import type { Tracing } from '../domain/tracing.ts';
import { deliver } from '../domain/webhook/index.ts';
import { syncZone } from '../domain/zone-sync/index.ts';

export type JobContext = { deps: Deps; mailer: Mailer; tracing?: Tracing | undefined };

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
  'mail.link': async ({ deps, mailer }, jobId, payload) => {
    const mail = await linkMail(deps, jobId, payload);
    if (mail !== undefined) await mailer.send(mail);
  },
  'mail.notice': ({ mailer }, jobId, payload) => mailer.send(noticeMail(jobId, payload)),
  'account.sendLink': ({ deps }, _jobId, payload) => sendLink(deps, payload),
  'avatar.collect': ({ deps }, jobId, { hash }) => collectAvatar(deps, jobId, hash),
  'webhook.deliver': ({ deps }, _jobId, { deliveryId }) => deliver(deps, deliveryId),
  'dns.sync': async ({ deps }, _jobId, zone) => {
    await syncZone(deps, zone);
  },
};
