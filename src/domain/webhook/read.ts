import { MAX } from 'uuid';
import type { Deps } from '../deps.ts';
import type { OrganizationActor } from '../principal.ts';
import { type Delivery, shown, type Webhook } from './row.ts';

/** The webhooks of an organization, oldest first; there are few. */
export const listWebhooks = (deps: Deps, actor: OrganizationActor): Promise<Webhook[]> =>
  deps.db.query(
    (sql) => sql<Webhook[]>`
      select ${shown(sql)} from webhooks where organization_id = ${actor.organizationId} order by id`,
  );

/** What was sent to a webhook and what waits, newest first. */
export const listDeliveries = (
  deps: Deps,
  actor: OrganizationActor,
  webhookId: string,
  filter: { status: Delivery['status'] | null; limit: number; cursor: string | null },
): Promise<Delivery[]> =>
  deps.db.query(
    (sql) => sql<Delivery[]>`
      select id, webhook_id, event_id, event, status, attempts, next_attempt_at, response_status, response_body,
        duration_ms, error, delivered_at, created_at
      from webhook_deliveries
      where webhook_id = ${webhookId} and organization_id = ${actor.organizationId}
        and (${filter.status}::text is null or status = ${filter.status})
        and id < ${filter.cursor ?? MAX}
      order by id desc
      limit ${filter.limit}`,
  );
