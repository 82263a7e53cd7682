import type { Transaction } from '../../db/client.ts';
import { notFound, preconditionFailed } from '../../kernel/errors.ts';
import { newId } from '../../kernel/ids.ts';
import { type EventPayload, TEST_EVENT } from '../../kernel/webhook-events/index.ts';
import { record } from '../audit/index.ts';
import type { Deps } from '../deps.ts';
import { addDelivery, type NewDelivery } from '../event/index.ts';
import { inOrganization } from '../organization/index.ts';
import type { OrganizationActor } from '../principal.ts';
import type { Delivery, Webhook } from './row.ts';
import { holdWebhook } from './update.ts';

export type Asked = Pick<Delivery, 'eventId'> & { deliveryId: string };

function requireOn({ active }: Webhook): void {
  if (!active) throw preconditionFailed('webhook_inactive', 'This webhook is off. Switch it on first.');
}

/** Adds a delivery that somebody asked for, with its audit row. */
async function add(
  deps: Deps,
  tx: Transaction,
  { principal, role }: OrganizationActor,
  action: 'test' | 'redeliver',
  delivery: NewDelivery,
): Promise<Asked> {
  const { organizationId, webhookId, eventId, event } = delivery;
  const now = deps.now();
  const deliveryId = await addDelivery(tx, delivery, now);
  await record(tx, principal, now, {
    organizationId,
    role,
    action,
    resourceType: 'webhook',
    resourceId: webhookId,
    after: { deliveryId, eventId, event },
  });
  return { deliveryId, eventId };
}

/**
 * Sends a `webhook.test` event, whatever the webhook listens to.
 *
 * @throws NOT_FOUND when it has just been deleted; PRECONDITION_FAILED when it is off
 */
export function testWebhook(deps: Deps, actor: OrganizationActor, webhookId: string): Promise<Asked> {
  return inOrganization(deps, actor, async (tx, { id: organizationId }, current) => {
    requireOn(await holdWebhook(tx, organizationId, webhookId));
    const { userId, key } = current.principal;
    const payload: EventPayload = {
      type: TEST_EVENT,
      timestamp: deps.now().toISOString(),
      data: {
        organizationId,
        actor: { userId, apiKeyId: key?.id ?? null },
        resourceType: 'webhook',
        resourceId: webhookId,
        resourceName: null,
        before: null,
        after: null,
      },
    };
    return add(deps, tx, current, 'test', {
      webhookId,
      organizationId,
      eventId: newId(),
      event: TEST_EVENT,
      body: JSON.stringify(payload),
    });
  });
}

/**
 * Sends an event again, under the id that it had, in a delivery of its own. One that is still waiting is replaced.
 *
 * @throws NOT_FOUND when it has just been deleted; PRECONDITION_FAILED when its webhook is off
 */
export function redeliver(deps: Deps, actor: OrganizationActor, deliveryId: string): Promise<Asked> {
  return inOrganization(deps, actor, async (tx, { id: organizationId }, current) => {
    const [sent] = await tx<Omit<NewDelivery, 'organizationId'>[]>`
      select webhook_id, event_id, event, body from webhook_deliveries
      where id = ${deliveryId} and organization_id = ${organizationId}`;
    if (sent === undefined) throw notFound('Delivery');
    requireOn(await holdWebhook(tx, organizationId, sent.webhookId));
    await tx`
      update webhook_deliveries set status = 'failed', error = 'Replaced by a redelivery.', next_attempt_at = null
      where id = ${deliveryId} and status = 'pending'`;
    return add(deps, tx, current, 'redeliver', { organizationId, ...sent });
  });
}
