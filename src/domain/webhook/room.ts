import type { Sql, Transaction } from '../../db/client.ts';
import { enqueue } from '../job/index.ts';

/** Attempts of one organization under way at once, so that its slow receivers leave room for everybody else's jobs. */
const MAX_SENDING = 4;

/** Whether another attempt of the organization, an id or a column, may begin. */
export const hasRoom = (sql: Sql, organization: string | ReturnType<Sql>, now: Date) => sql`
  (select count(*) from webhook_deliveries other
    where other.organization_id = ${organization} and other.sending_until > ${now}) < ${MAX_SENDING}`;

/** In a statement about `webhook_deliveries d`. */
export const isDue = (sql: Sql, now: Date) => sql`
  d.status = 'pending' and d.next_attempt_at <= ${now} and (d.sending_until is null or d.sending_until <= ${now})`;

/**
 * Where there is room, calls the delivery of the organization that has waited longest. One that finds no room has no job
 * until then: jobs that look again and again, thousands of one organization, would hold up everybody's.
 */
export async function callNext(tx: Transaction, organizationId: string, now: Date): Promise<void> {
  const [next] = await tx<{ id: string }[]>`
    select d.id from webhooks w join webhook_deliveries d on d.webhook_id = w.id
    where w.organization_id = ${organizationId} and ${isDue(tx, now)} and ${hasRoom(tx, organizationId, now)}
    order by d.next_attempt_at limit 1`;
  if (next !== undefined) await enqueue(tx, 'webhook.deliver', { deliveryId: next.id }, now);
}
