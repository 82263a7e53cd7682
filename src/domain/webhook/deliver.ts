import type { Transaction } from '../../db/client.ts';
import { decryptText } from '../../kernel/encryption.ts';
import { signatureHeaders } from '../../kernel/webhook-signature.ts';
import type { Deps } from '../deps.ts';
import { enqueue } from '../job/index.ts';
import type { SendOutcome } from '../safe-fetch.ts';
import { SWITCHED_OFF } from './pending.ts';
import { callNext, hasRoom, isDue } from './room.ts';
import { SECRET_PURPOSE } from './row.ts';
import { type Attempt, settle } from './settle.ts';

/** Longer than any attempt: past it the process that made one has died. */
const SENDING_MS = 30_000;

type Claimed = Attempt & {
  url: string;
  body: string;
  secret: string;
  previousSecret: string | null;
  previousSecretExpiresAt: Date | null;
};

/** Takes the organization's deliveries for the rest of the transaction: several attempts at once would each find room. */
const holdDeliveries = (tx: Transaction, organizationId: string) =>
  tx`select pg_advisory_xact_lock(hashtextextended(${`webhooks of ${organizationId}`}, 0))`;

/**
 * Takes the attempt that is due, so that nobody else makes it; undefined when there is none, or no room for it. What
 * waits for a webhook that is off ends.
 */
function claim(
  deps: Deps,
  deliveryId: string,
  organizationId: string,
  now: Date,
): Promise<Claimed | undefined> {
  return deps.db.transaction(async (tx) => {
    await holdDeliveries(tx, organizationId);
    const [claimed] = await tx<Claimed[]>`
      update webhook_deliveries d
      set sending_until = ${new Date(now.getTime() + SENDING_MS)}, attempts = d.attempts + 1
      from webhooks w
      where d.id = ${deliveryId} and w.id = d.webhook_id and w.active and ${isDue(tx, now)} and ${hasRoom(tx, organizationId, now)}
      returning d.id, d.webhook_id, d.event_id, d.attempts, d.created_at, d.body, w.url, w.secret, w.previous_secret,
        w.previous_secret_expires_at`;
    if (claimed === undefined) {
      await tx`
        update webhook_deliveries d set status = 'failed', error = ${SWITCHED_OFF}, next_attempt_at = null
        from webhooks w where d.id = ${deliveryId} and w.id = d.webhook_id and not w.active and d.status = 'pending'`;
    }
    return claimed;
  });
}

/** Looks again at an attempt under way when it must have ended. */
const lookAgain = (deps: Deps, deliveryId: string, at: Date): Promise<unknown> =>
  deps.db.transaction((tx) => enqueue(tx, 'webhook.deliver', { deliveryId }, at));

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
 * no fault of the job. Does nothing for a delivery that has ended, nor for one without room: it is called by those that
 * are under way, each of which has a job until it is written down.
 *
 * @param isRetry whether the job was begun before, so that an attempt under way may be its own that was not written down
 */
export async function deliver(deps: Deps, deliveryId: string, isRetry: boolean): Promise<void> {
  const now = deps.now();
  const [delivery] = await deps.db.query(
    (sql) => sql<{ organizationId: string; underWayUntil: Date | null; hasRoom: boolean }[]>`
      select d.organization_id, ${hasRoom(sql, sql`d.organization_id`, now)} as has_room,
        case when d.status = 'pending' and d.sending_until > ${now} then d.sending_until end as under_way_until
      from webhook_deliveries d where d.id = ${deliveryId}`,
  );
  if (delivery === undefined) return;
  const { organizationId, underWayUntil } = delivery;
  if (underWayUntil === null) {
    if (delivery.hasRoom) await attemptOne(deps, deliveryId, organizationId, now);
  } else if (isRetry) await lookAgain(deps, deliveryId, underWayUntil);
}

async function attemptOne(deps: Deps, deliveryId: string, organizationId: string, now: Date): Promise<void> {
  const claimed = await claim(deps, deliveryId, organizationId, now);
  if (claimed !== undefined) {
    const outcome = await send(deps, claimed, now);
    const end = deps.now();
    await settle(deps, claimed, outcome, { end, durationMs: end.getTime() - now.getTime() });
  }
  await deps.db.transaction(async (tx) => {
    await holdDeliveries(tx, organizationId);
    await callNext(tx, organizationId, deps.now());
  });
}
