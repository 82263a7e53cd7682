import type { Transaction } from '../../db/client.ts';
import type { Deps } from '../deps.ts';
import { enqueue } from '../job/index.ts';
import type { SendFailure, SendOutcome } from '../safe-fetch.ts';
import { endPending } from './pending.ts';

const HOUR_S = 3600;
/** Seconds before each next attempt; the last one goes on until `GIVE_UP_S`. */
const BACKOFF_S = [5, 30, 120, 600, HOUR_S, 3 * HOUR_S, 8 * HOUR_S];
/** An event is tried for a day: the last attempt is made then. */
const GIVE_UP_S = 24 * HOUR_S;
/** As long as a receiver may have us wait by Retry-After. */
const MAX_RETRY_AFTER_S = HOUR_S;
/** A webhook without any success for so long is switched off. */
const FAILING_DAYS = 5;
const KEEP_DAYS = 30;
const DAY_MS = 24 * HOUR_S * 1000;

const FAILURES: Record<SendFailure, string> = {
  address_not_allowed: 'The host has an address that webhooks may not reach.',
  host_not_found: 'The host was not found.',
  connection_failed: 'The connection failed.',
  tls_failed: 'The connection could not be secured.',
  timed_out: 'There was no answer in time.',
  invalid_response: 'The answer was not HTTP.',
};

export type Attempt = { id: string; webhookId: string; eventId: string; attempts: number; createdAt: Date };
export type Timing = { end: Date; durationMs: number };

const isSuccess = (outcome: SendOutcome): boolean =>
  'status' in outcome && outcome.status >= 200 && outcome.status < 300;

function errorOf(outcome: SendOutcome): string | null {
  if ('failure' in outcome) return FAILURES[outcome.failure];
  if (isSuccess(outcome)) return null;
  return outcome.status >= 300 && outcome.status < 400
    ? 'The receiver redirects, which is not followed.'
    : `The receiver answered ${outcome.status}.`;
}

/** Seconds that a receiver asks for, as a number or as a moment. */
function retryAfter(outcome: SendOutcome, now: Date): number {
  if ('failure' in outcome || outcome.retryAfter === null || ![429, 503].includes(outcome.status)) return 0;
  const text = outcome.retryAfter;
  const seconds = /^\d+$/.test(text) ? Number(text) : (Date.parse(text) - now.getTime()) / 1000;
  return Number.isNaN(seconds) ? 0 : Math.min(seconds, MAX_RETRY_AFTER_S);
}

/** When to try again; null when the time for it is over. */
function nextAttempt({ attempts, createdAt }: Attempt, outcome: SendOutcome, now: Date): Date | null {
  const lastAt = createdAt.getTime() + GIVE_UP_S * 1000;
  if (now.getTime() >= lastAt) return null;
  const planned = BACKOFF_S[Math.min(attempts, BACKOFF_S.length) - 1] ?? 0;
  const wait = Math.max(planned, retryAfter(outcome, now));
  return new Date(Math.min(now.getTime() + wait * 1000, lastAt));
}

/** Forgets old deliveries of the webhook, a few at a time. */
const forget = (tx: Transaction, webhookId: string, now: Date) => tx`
  delete from webhook_deliveries where id in (
    select id from webhook_deliveries
    where webhook_id = ${webhookId} and created_at < ${new Date(now.getTime() - KEEP_DAYS * DAY_MS)}
      and status <> 'pending'
    order by created_at limit 100)`;

async function switchOff(tx: Transaction, webhookId: string, reason: 'gone' | 'failing', now: Date) {
  await tx`update webhooks set active = false, disabled_reason = ${reason}, updated_at = ${now}
    where id = ${webhookId} and active`;
  await endPending(tx, webhookId);
}

/** Writes down how an attempt went. What was ended or deleted meanwhile stays as it is. */
export function settle(
  deps: Deps,
  attempt: Attempt,
  outcome: SendOutcome,
  { end, durationMs }: Timing,
): Promise<void> {
  const { id, webhookId } = attempt;
  const success = isSuccess(outcome);
  const gone = 'status' in outcome && outcome.status === 410;
  const next = success || gone ? null : nextAttempt(attempt, outcome, end);
  const result = {
    sendingUntil: null,
    durationMs,
    error: errorOf(outcome),
    responseStatus: 'status' in outcome ? outcome.status : null,
    responseBody: 'status' in outcome ? outcome.body : null,
  };
  return deps.db.transaction(async (tx) => {
    // The webhook first, as whoever changes it does.
    const [webhook] = await tx<{ failingSince: Date | null }[]>`
      select failing_since from webhooks where id = ${webhookId} for no key update`;
    const current = await tx`
      update webhook_deliveries set ${tx({
        ...result,
        status: success ? 'delivered' : next === null ? 'failed' : 'pending',
        nextAttemptAt: next,
        deliveredAt: success ? end : null,
      })}
      where id = ${id} and status = 'pending' and attempts = ${attempt.attempts} returning id`;
    if (webhook === undefined || current.length === 0) {
      await tx`update webhook_deliveries set sending_until = null where id = ${id} and attempts = ${attempt.attempts}`;
      return;
    }
    if (next !== null) await enqueue(tx, 'webhook.deliver', { deliveryId: id }, next);
    await forget(tx, webhookId, end);
    const since = success ? null : (webhook.failingSince ?? end);
    if (since !== webhook.failingSince) {
      await tx`update webhooks set failing_since = ${since} where id = ${webhookId}`;
    }
    if (gone) await switchOff(tx, webhookId, 'gone', end);
    else if (since !== null && end.getTime() - since.getTime() >= FAILING_DAYS * DAY_MS) {
      await switchOff(tx, webhookId, 'failing', end);
    }
  });
}
