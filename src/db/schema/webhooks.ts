import { sql } from 'drizzle-orm';
import { boolean, index, integer, jsonb, pgTable, text, uuid } from 'drizzle-orm/pg-core';
import { DELIVERY_STATUSES, WEBHOOK_DISABLED_REASONS } from '../../kernel/vocabulary.ts';
import { createdAt, id, moment, updatedAt } from '../columns.ts';
import { ofOrganization } from '../policies.ts';
import { organizations } from './organizations.ts';

/** Where an organization wants to be told what happened in it. */
export const webhooks = pgTable(
  'webhooks',
  {
    id: id(),
    organizationId: uuid('organization_id')
      .notNull()
      .references(() => organizations.id, { onDelete: 'cascade' }),
    url: text().notNull(),
    description: text(),
    /** Names of events (kernel/webhook-events/), or `*` alone for all. */
    events: jsonb().$type<string[]>().notNull(),
    active: boolean().notNull().default(true),
    /** Set where the service switched it off, and not a person. */
    disabledReason: text('disabled_reason', { enum: WEBHOOK_DISABLED_REASONS }),
    /** When the first of the failures began that no success has followed yet. */
    failingSince: moment('failing_since'),
    /** Encrypted (kernel/encryption.ts). */
    secret: text().notNull(),
    /** The one before the last rotation, encrypted, which signs too until `previousSecretExpiresAt`. */
    previousSecret: text('previous_secret'),
    previousSecretExpiresAt: moment('previous_secret_expires_at'),
    createdAt: createdAt(),
    updatedAt: updatedAt(),
  },
  (t) => [index('webhooks_organization').on(t.organizationId, t.id), ...ofOrganization(t.organizationId)],
);

/** One event for one webhook: outbox and log at once. A pending one has a job that sends it, or waits for those under way. */
export const webhookDeliveries = pgTable(
  'webhook_deliveries',
  {
    id: id(),
    webhookId: uuid('webhook_id')
      .notNull()
      .references(() => webhooks.id, { onDelete: 'cascade' }),
    /** Of the webhook, which never changes it. */
    organizationId: uuid('organization_id').notNull(),
    /** The same for every webhook and every attempt: receivers know by it what they have had already. */
    eventId: uuid('event_id').notNull(),
    event: text().notNull(),
    /** What is sent, to the byte. */
    body: text().notNull(),
    status: text({ enum: DELIVERY_STATUSES }).notNull().default('pending'),
    attempts: integer().notNull().default(0),
    nextAttemptAt: moment('next_attempt_at'),
    /** While it lies ahead, an attempt is under way. */
    sendingUntil: moment('sending_until'),
    /** Of the last attempt, as is all that follows. */
    responseStatus: integer('response_status'),
    responseBody: text('response_body'),
    durationMs: integer('duration_ms'),
    error: text(),
    deliveredAt: moment('delivered_at'),
    createdAt: createdAt(),
  },
  (t) => [
    index('webhook_deliveries_webhook').on(t.webhookId, t.id),
    index('webhook_deliveries_pending').on(t.webhookId).where(sql`${t.status} = 'pending'`),
    index('webhook_deliveries_sending').on(t.organizationId).where(sql`${t.sendingUntil} is not null`),
    index('webhook_deliveries_age').on(t.webhookId, t.createdAt),
    ...ofOrganization(t.organizationId),
  ],
);
