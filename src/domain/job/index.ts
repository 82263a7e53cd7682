import type { Transaction } from '../../db/client.ts';
import { newId } from '../../kernel/ids.ts';
import type { DnsProviderName } from '../../kernel/vocabulary.ts';

export { countJobs, type FailedJob, failedJobs, retryFailedJobs } from './operate.ts';

/** What an account's holder is told by mail. Moments are ISO 8601. */
export type Notice =
  | { kind: 'signIn'; at: string; ipAddress: string | null; userAgent: string | null }
  | { kind: 'passwordChanged'; at: string }
  | { kind: 'emailChangeAsked'; at: string; newEmail: string }
  | { kind: 'emailChanged'; at: string; newEmail: string }
  | { kind: 'twoFactorEnabled'; at: string }
  | { kind: 'twoFactorDisabled'; at: string }
  | { kind: 'recoveryCodeUsed'; at: string; left: number }
  | { kind: 'suspended'; at: string; reason: string | null }
  | { kind: 'unsuspended'; at: string }
  | { kind: 'deleted'; at: string };

/** Every kind of job and what it carries. Payloads hold ids, never secrets: they lie in the database. */
export type JobPayloads = {
  'mail.invitation': { invitationId: string; tokenVersion: number };
  /** Sends the link of an e-mail token. */
  'mail.link': { tokenId: string };
  /** Tells an account's holder what happened to it. */
  'mail.notice': { to: string; notice: Notice };
  /** Makes and sends a link for whoever has this address, if anybody has. */
  'account.sendLink': { email: string; purpose: 'verify' | 'reset'; ipAddress: string | null };
  /** Deletes a picture that nobody shows any more. */
  'avatar.collect': { hash: string };
  /** Makes one attempt to tell a webhook of an event. */
  'webhook.deliver': { deliveryId: string };
  /** Brings a DNS provider to what the database says of a name: a zone with its records, or none. */
  'dns.sync': { provider: DnsProviderName; name: string };
};

export type JobName = keyof JobPayloads;

/** Asks for work to be done once the transaction has committed; without the commit there is no job. Returns its id. */
export async function enqueue<N extends JobName>(
  tx: Transaction,
  name: N,
  payload: JobPayloads[N],
  runAt: Date,
): Promise<string> {
  const id = newId();
  await tx`insert into jobs ${tx({ id, name, payload: tx.json(payload), runAt, createdAt: runAt })}`;
  return id;
}

/** The same for many at once, in one statement. */
export async function enqueueAll<N extends JobName>(
  tx: Transaction,
  name: N,
  payloads: JobPayloads[N][],
  runAt: Date,
): Promise<void> {
  const rows = payloads.map((payload) => ({
    id: newId(),
    name,
    payload: tx.json(payload),
    runAt,
    createdAt: runAt,
  }));
  if (rows.length > 0) await tx`insert into jobs ${tx(rows)}`;
}
