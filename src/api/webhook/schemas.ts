import { z } from 'zod';
import { Id } from '../../kernel/schemas.ts';
import { DELIVERY_STATUSES, WEBHOOK_DISABLED_REASONS } from '../../kernel/vocabulary.ts';
import { Moment } from '../schemas.ts';

const webhook = {
  id: Id,
  organizationId: Id,
  url: z.string(),
  description: z.string().nullable(),
  events: z.array(z.string()).meta({ description: 'Names of events, or * for all.' }),
  active: z.boolean(),
  disabledReason: z.enum(WEBHOOK_DISABLED_REASONS).nullable().meta({
    description: 'Why the service switched it off: gone is an answer 410, failing are days of failures.',
  }),
  failingSince: Moment.nullable().meta({ description: 'Since when every attempt has failed.' }),
  previousSecretExpiresAt: Moment.nullable().meta({
    description: 'Until when deliveries are also signed by the secret before the last rotation.',
  }),
  createdAt: Moment,
  updatedAt: Moment,
};
export const Webhook = z.object(webhook).meta({ id: 'Webhook' });
const signingSecret = z.string().meta({
  description: 'Signs every delivery, by Standard Webhooks. Shown this once.',
  example: 'whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD',
});
export const CreatedWebhook = z.object({ ...webhook, secret: signingSecret }).meta({ id: 'CreatedWebhook' });
export const UpdatedWebhook = z
  .object({ ...webhook, secret: signingSecret.optional() })
  .meta({ id: 'UpdatedWebhook' });

export const WebhookDelivery = z
  .object({
    id: Id,
    webhookId: Id,
    eventId: Id.meta({
      description: 'Sent as webhook-id: the same over attempts, webhooks and redeliveries.',
    }),
    event: z.string().meta({ example: 'member.updated' }),
    status: z.enum(DELIVERY_STATUSES),
    attempts: z.number().int(),
    nextAttemptAt: Moment.nullable(),
    responseStatus: z
      .number()
      .int()
      .nullable()
      .meta({ description: 'Of the last attempt, as what follows.' }),
    responseBody: z.string().nullable().meta({ description: 'The beginning, up to 1 KB.' }),
    durationMs: z.number().int().nullable(),
    error: z.string().nullable(),
    deliveredAt: Moment.nullable(),
    createdAt: Moment,
  })
  .meta({ id: 'WebhookDelivery' });
