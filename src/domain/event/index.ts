import type { Transaction } from '../../db/client.ts';
import { newId } from '../../kernel/ids.ts';
import { EVERY_EVENT, type EventPayload, eventOf } from '../../kernel/webhook-events/index.ts';
import { enqueue } from '../job/index.ts';

/** What one webhook is told: an event, under the id that all its webhooks and attempts share. */
export type NewDelivery = {
  webhookId: string;
  organizationId: string;
  eventId: string;
  event: string;
  body: string;
};

/** Puts a delivery into the outbox, with the job that sends it. Returns its id. */
export async function addDelivery(tx: Transaction, delivery: NewDelivery, at: Date): Promise<string> {
  const id = newId();
  await tx`insert into webhook_deliveries ${tx({ id, ...delivery, nextAttemptAt: at, createdAt: at })}`;
  await enqueue(tx, 'webhook.deliver', { deliveryId: id }, at);
  return id;
}

/** What the audit log says of a change. */
type Change = {
  organizationId: string | null;
  action: string;
  resourceType: string;
  resourceId: string;
  resourceName?: string | null;
  before?: Record<string, unknown>;
  after?: Record<string, unknown>;
};

/** A webhook that wants to be told of a change. */
type Listener = { id: string };

/**
 * The webhooks that listen to a change. They are held, which waits for a deletion that is under way: none of the
 * deliveries is left without its webhook. A change that nobody can listen to costs no statement.
 */
export async function listenersTo(tx: Transaction, change: Change): Promise<Listener[]> {
  const { organizationId, action, resourceType } = change;
  const type = eventOf(resourceType, action);
  if (organizationId === null || type === undefined) return [];
  return tx<Listener[]>`
    select id from webhooks
    where organization_id = ${organizationId} and active
      and (events @> to_jsonb(${type}::text) or events @> to_jsonb(${EVERY_EVENT}::text))
    order by id for key share`;
}

/** Puts a change into the outbox, once for every webhook that listens to it, in the transaction that makes the change. */
export async function publish(
  tx: Transaction,
  actor: { userId: string; key?: { id: string } | null },
  at: Date,
  change: Change,
  listeners: Listener[],
): Promise<void> {
  const { organizationId, action, resourceType, resourceId } = change;
  const type = eventOf(resourceType, action);
  if (organizationId === null || type === undefined || listeners.length === 0) return;
  const payload: EventPayload = {
    type,
    timestamp: at.toISOString(),
    data: {
      organizationId,
      actor: { userId: actor.userId, apiKeyId: actor.key?.id ?? null },
      resourceType,
      resourceId,
      resourceName: change.resourceName ?? null,
      before: change.before ?? null,
      after: change.after ?? null,
    },
  };
  const delivery = { organizationId, eventId: newId(), event: type, body: JSON.stringify(payload) };
  for (const { id } of listeners) await addDelivery(tx, { ...delivery, webhookId: id }, at);
}
