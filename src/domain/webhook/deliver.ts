import { decryptText } from '../../kernel/encryption.ts';
import { signatureHeaders } from '../../kernel/webhook-signature.ts';
import type { Deps } from '../deps.ts';
import { enqueue } from '../job/index.ts';
import type { SendOutcome } from '../safe-fetch.ts';
import { SECRET_PURPOSE } from './row.ts';
import { type Attempt, settle } from './settle.ts';

/** Longer than any attempt: past it the process that made one has died. */
const SENDING_MS = 30_000;
/** Attempts of one organization under way at once, so that its slow receivers leave room for everybody else's jobs. */
const MAX_SENDING = 4;
const BUSY_MS = 2_000;

type Claimed = Attempt & {
  url: string;
  body: string;
  secret: string;
  previousSecret: string | null;
  previousSecretExpiresAt: Date | null;
};

/**
 * Takes the attempt that is due, so that nobody else makes it; undefined when there is none, or no room for it. Those of
 * one organization are taken one after another, or several at once would each find room.
 */
function claim(deps: Deps, deliveryId: string, now: Date): Promise<Claimed | undefined> {
  return deps.db.transaction(async (tx) => {
    await tx`
      select pg_advisory_xact_lock(hashtextextended('webhooks of ' || organization_id, 0))
      from webhook_deliveries where id = ${deliveryId}`;
    const [claimed] = await tx<Claimed[]>`
      update webhook_deliveries d
      set sending_until = ${new Date(now.getTime() + SENDING_MS)}, attempts = d.attempts + 1
      from webhooks w
      where d.id = ${deliveryId} and w.id = d.webhook_id and w.active
        and d.status = 'pending' and d.next_attempt_at <= ${now}
        and (d.sending_until is null or d.sending_until <= ${now})
        and (select count(*) from webhook_deliveries other
          where other.organization_id = d.organization_id and other.sending_until > ${now}) < ${MAX_SENDING}
      returning d.id, d.webhook_id, d.event_id, d.attempts, d.created_at, d.body, w.url, w.secret, w.previous_secret,
        w.previous_secret_expires_at`;
    return claimed;
  });
}

/**
 * An attempt that is due and was not taken. Its webhook is off, which ends it; or there was no room, so later; or another
 * one is under way, of which nobody knows whether it will be written down: it is looked at again when that has ended.
 */
async function putOff(deps: Deps, deliveryId: string, now: Date): Promise<void> {
  const later = new Date(now.getTime() + BUSY_MS);
  await deps.db.transaction(async (tx) => {
    await tx`
      update webhook_deliveries d set status = 'failed', error = 'The webhook was switched off.', next_attempt_at = null
      from webhooks w where d.id = ${deliveryId} and w.id = d.webhook_id and not w.active and d.status = 'pending'`;
    const [waiting] = await tx<{ nextAttemptAt: Date }[]>`
      update webhook_deliveries set next_attempt_at = greatest(${later}, sending_until)
      where id = ${deliveryId} and status = 'pending' and next_attempt_at <= ${now}
      returning next_attempt_at`;
    if (waiting !== undefined) await enqueue(tx, 'webhook.deliver', { deliveryId }, waiting.nextAttemptAt);
  });
}

async function send(deps: Deps, claimed: Claimed, now: Date): Promise<SendOutcome> {
  const { webhookId, eventId, body, previousSecret, previousSecretExpiresAt } = claimed;
  const outgoing = previousSecretExpiresAt !== null && previousSecretExpiresAt > now ? previousSecret : null;
  const secrets = [claimed.secret, outgoing]
    .filter((stored) => stored !== null)
    .map((stored) => decryptText(deps.rules.secret, SECRET_PURPOSE, webhookId, stored));
  const headers = {
    'content-type': 'application/json',
    'user-agent': 'Tenantry',
    ...signatureHeaders(secrets, { id: eventId, at: now, body }),
  };
  return deps.post(claimed.url, { headers, body });
}

/**
 * Makes one attempt to deliver, and writes down how it went with the job of the next one: what the receiver does is
 * no fault of the job. Does nothing for a delivery that has ended.
 */
export async function deliver(deps: Deps, deliveryId: string): Promise<void> {
  const now = deps.now();
  const claimed = await claim(deps, deliveryId, now);
  if (claimed === undefined) return putOff(deps, deliveryId, now);
  const outcome = await send(deps, claimed, now);
  const end = deps.now();
  await settle(deps, claimed, outcome, { end, durationMs: end.getTime() - now.getTime() });
}
