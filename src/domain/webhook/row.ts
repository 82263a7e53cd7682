import type { Sql } from '../../db/client.ts';
import type { webhookDeliveries, webhooks } from '../../db/schema/index.ts';

/** A webhook as it is shown: everything but its secrets. */
export type Webhook = Omit<typeof webhooks.$inferSelect, 'secret' | 'previousSecret'>;

/** The columns of a `Webhook`. */
export const shown = (sql: Sql) => sql`
  id, organization_id, url, description, events, active, disabled_reason, failing_since,
  previous_secret_expires_at, created_at, updated_at`;

/** What is shown of one event for one webhook. */
export type Delivery = Omit<
  typeof webhookDeliveries.$inferSelect,
  'organizationId' | 'body' | 'sendingUntil'
>;

/** Names the encryption key of secrets; what was stored under it can be read with no other. */
export const SECRET_PURPOSE = 'webhook';

/** What the audit log says of a webhook. The path of an address often works like a password, so it stays out. */
export const summaryOf = ({ url, description, events, active }: Webhook) => ({
  origin: new URL(url).origin,
  description,
  events,
  active,
});
