export { type Asked, redeliver, testWebhook } from './ask.ts';
export { createWebhook, type NewWebhook } from './create.ts';
export { deleteWebhook } from './delete.ts';
export { deliver } from './deliver.ts';
export { listDeliveries, listWebhooks } from './read.ts';
export type { Delivery, Webhook } from './row.ts';
export { updateWebhook, type WebhookChanges } from './update.ts';
export { MAX_URL_LENGTH } from './url.ts';
