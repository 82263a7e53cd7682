import { z } from 'zod';
import { Id } from '../schemas.ts';
import { type Definition, EVENTS } from './catalogue.ts';
import { Moment } from './fields.ts';

export type WebhookEvent = keyof typeof EVENTS;
export const TEST_EVENT = 'webhook.test' satisfies WebhookEvent;
export const EVENT_NAMES = Object.keys(EVENTS) as [WebhookEvent, ...WebhookEvent[]];
/** Stands for every event, also those that later versions add. */
export const EVERY_EVENT = '*';

/** Changes of an organization, as `resourceType:action`, that no webhook is told, and why. */
export const UNPUBLISHED: Record<string, string> = {
  'organization:create': 'A new organization has no webhooks.',
  'organization:delete': 'Its webhooks end with it.',
  'session:update': 'Which organization somebody looks at is his own affair.',
  'apiKey:update': 'Which organization is the active one of a key is its holder’s affair.',
  'tunnelDevice:deny': 'A device that is turned down is nobody’s.',
  'webhook:create': 'Webhooks do not report on themselves; the audit log does.',
  'webhook:update': 'As above.',
  'webhook:delete': 'As above.',
  'webhook:redeliver': 'As above.',
};

const BY_CHANGE = new Map(
  EVENT_NAMES.filter((name) => name !== TEST_EVENT).map((name) => [
    `${EVENTS[name].resourceType}:${EVENTS[name].action}`,
    name,
  ]),
);

/** The event that a change makes; undefined where webhooks are not told of it. */
export const eventOf = (resourceType: string, action: string): WebhookEvent | undefined =>
  BY_CHANGE.get(`${resourceType}:${action}`);

/** What is sent. Moments are ISO 8601 in UTC. */
export type EventPayload = {
  type: WebhookEvent;
  timestamp: string;
  data: {
    organizationId: string;
    /** Who did it, and by which API key if by one. */
    actor: { userId: string; apiKeyId: string | null };
    resourceType: string;
    resourceId: string;
    resourceName: string | null;
    before: Record<string, unknown> | null;
    after: Record<string, unknown> | null;
  };
};

/** The schema of one event's payload. */
export function payloadSchema(name: WebhookEvent): z.ZodType<EventPayload> {
  const { resourceType, before, after }: Definition = EVENTS[name];
  return z.strictObject({
    type: z.literal(name),
    timestamp: Moment,
    data: z.strictObject({
      organizationId: Id,
      actor: z.strictObject({ userId: Id, apiKeyId: Id.nullable() }),
      resourceType: z.literal(resourceType),
      resourceId: Id,
      resourceName: z.string().nullable(),
      before: (before ?? z.never()).nullable(),
      after: (after ?? z.never()).nullable(),
    }),
  }) as unknown as z.ZodType<EventPayload>;
}

/** Every event with its description and the JSON Schema of its payload. Later versions may add fields. */
export const describeEvents = () =>
  EVENT_NAMES.map((name) => ({
    name,
    description: EVENTS[name].description,
    schema: z.toJSONSchema(payloadSchema(name), { io: 'input' }) as Record<string, unknown>,
  }));
