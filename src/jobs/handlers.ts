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

/** The id stays the same over attempts, of which the first is 1. */
export type Job = {
  id: string;
  attempts: number;
  /** Resolves as the answer does; until then the job leaves its slot to others. */
  lend<T>(answer: Promise<T>): Promise<T>;
};

/** Does one job, or throws to have it tried again. */
type Handler<N extends JobName> = (context: JobContext, job: Job, payload: JobPayloads[N]) => Promise<void>;

export const handlers: { [N in JobName]: Handler<N> } = {
  'mail.invitation': async ({ deps, mailer }, { id }, payload) => {
    const mail = await invitationMail(deps, id, payload);
    if (mail !== undefined) await mailer.send(mail);
  },
  'mail.link': async ({ deps, mailer }, { id }, payload) => {
    const mail = await linkMail(deps, id, payload);
    if (mail !== undefined) await mailer.send(mail);
  },
  'mail.notice': ({ mailer }, { id }, payload) => mailer.send(noticeMail(id, payload)),
  'account.sendLink': ({ deps }, _job, payload) => sendLink(deps, payload),
  'avatar.collect': ({ deps }, { id }, { hash }) => collectAvatar(deps, id, hash),
  'webhook.deliver': ({ deps }, { attempts, lend }, { deliveryId }) =>
    deliver({ ...deps, post: (url, request) => lend(deps.post(url, request)) }, deliveryId, attempts > 1),
  'dns.sync': async ({ deps }, _job, zone) => {
    await syncZone(deps, zone);
  },
};
