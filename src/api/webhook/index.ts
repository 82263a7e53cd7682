import { z } from 'zod';
import {
  createWebhook,
  deleteWebhook,
  listDeliveries,
  listWebhooks,
  MAX_URL_LENGTH,
  redeliver,
  testWebhook,
  updateWebhook,
} from '../../domain/webhook/index.ts';
import { DESCRIPTION_MAX_LENGTH } from '../../kernel/lengths.ts';
import { pageOf } from '../../kernel/pagination.ts';
import { Id } from '../../kernel/schemas.ts';
import { DELIVERY_STATUSES } from '../../kernel/vocabulary.ts';
import { describeEvents, EVENT_NAMES, EVERY_EVENT } from '../../kernel/webhook-events/index.ts';
import { ListPage } from '../schemas.ts';
import { organizationProcedure, procedureOn, publicProcedure, router } from '../trpc.ts';
import { CreatedWebhook, UpdatedWebhook, Webhook, WebhookDelivery } from './schemas.ts';

const Description = z.string().trim().max(DESCRIPTION_MAX_LENGTH);
const Url = z
  .string()
  .trim()
  .min(1)
  .max(MAX_URL_LENGTH)
  .meta({ format: 'uri', example: 'https://hooks.example.com/tenantry' });
/** In the order of the catalogue, each once; `*` leaves nothing to name, and nothing named is everything. */
const Events = z
  .array(z.enum([EVERY_EVENT, ...EVENT_NAMES]))
  .max(100)
  .transform((events): string[] =>
    events.length === 0 || events.includes(EVERY_EVENT)
      ? [EVERY_EVENT]
      : EVENT_NAMES.filter((name) => events.includes(name)),
  )
  .meta({ description: 'Names of events; none, or *, is all of them. See webhook.events.' });
const Asked = z.object({ deliveryId: Id, eventId: Id });

const webhookProcedure = procedureOn('webhook', 'webhookId');
const deliveryProcedure = procedureOn('webhookDelivery', 'deliveryId');

export const webhookRouter = router({
  events: publicProcedure
    .meta({
      summary: 'The catalogue of events',
      description: 'Every event that webhooks are told, with the JSON Schema of its payload.',
    })
    .output(
      z.array(
        z.object({ name: z.string(), description: z.string(), schema: z.record(z.string(), z.unknown()) }),
      ),
    )
    .query(describeEvents),

  create: organizationProcedure('webhook:create')
    .meta({
      summary: 'Tell a URL what happens in an organization',
      description:
        'Each event is sent as a POST signed by Standard Webhooks, and tried again for 24 hours until the answer is 2xx; 410 switches the webhook off. The signing secret is shown in this answer only. At most 20 an organization.',
    })
    .input(
      z.object({
        url: Url,
        description: Description.nullish(),
        events: Events.prefault([EVERY_EVENT]),
        active: z.boolean().default(true),
      }),
    )
    .output(CreatedWebhook)
    .mutation(({ ctx, input: { organizationId: _, ...webhook } }) =>
      createWebhook(ctx.deps, ctx.actor, webhook),
    ),

  all: organizationProcedure('webhook:read')
    .meta({ summary: 'List the webhooks of an organization' })
    .output(z.array(Webhook))
    .query(({ ctx }) => listWebhooks(ctx.deps, ctx.actor)),

  update: webhookProcedure('webhook:update')
    .meta({
      summary: 'Change a webhook',
      description:
        'What is left out stays, null clears. active: true also switches on what the service switched off; false ends what waits to be delivered. rotateSecret: true makes a new secret, shown in this answer only; for 24 hours deliveries are signed by both.',
    })
    .input(
      z.object({
        url: Url.optional(),
        description: Description.nullish(),
        events: Events.optional(),
        active: z.boolean().optional(),
        rotateSecret: z.boolean().optional(),
      }),
    )
    .output(UpdatedWebhook)
    .mutation(({ ctx, input: { webhookId, ...changes } }) =>
      updateWebhook(ctx.deps, ctx.actor, webhookId, changes),
    ),

  delete: webhookProcedure('webhook:delete')
    .meta({
      summary: 'Delete a webhook',
      description: 'With its log and with what waits to be delivered. The answer is what was deleted.',
    })
    .output(Webhook)
    .mutation(({ ctx, input }) => deleteWebhook(ctx.deps, ctx.actor, input.webhookId)),

  test: webhookProcedure('webhook:update')
    .meta({
      summary: 'Send a test event',
      description: 'The event webhook.test, to this webhook only and whatever it listens to.',
      rateLimit: { name: 'webhook.test', points: 30, seconds: 60 },
    })
    .output(Asked)
    .mutation(({ ctx, input }) => testWebhook(ctx.deps, ctx.actor, input.webhookId)),

  deliveries: webhookProcedure('webhook:read')
    .meta({
      summary: 'List what was sent to a webhook, newest first',
      description: 'Deliveries that have ended are kept for 30 days.',
    })
    .input(ListPage.extend({ status: z.enum(DELIVERY_STATUSES).optional() }))
    .output(z.object({ items: z.array(WebhookDelivery), nextCursor: Id.nullable() }))
    .query(({ ctx, input }) => {
      const { webhookId, status = null } = input;
      return pageOf(input, (page) => listDeliveries(ctx.deps, ctx.actor, webhookId, { status, ...page }));
    }),

  redeliver: deliveryProcedure('webhook:update')
    .meta({
      summary: 'Send an event again',
      description:
        'At once, in a delivery of its own and under the same webhook-id; a delivery that still waits is replaced.',
      rateLimit: { name: 'webhook.redeliver', points: 60, seconds: 60 },
    })
    .output(Asked)
    .mutation(({ ctx, input }) => redeliver(ctx.deps, ctx.actor, input.deliveryId)),
});
