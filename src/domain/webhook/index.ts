export { redeliver, testWebhook } from './ask.ts';
export { createWebhook } from './create.ts';
export { deleteWebhook } from './delete.ts';
export { deliver } from './deliver.ts';
export { listDeliveries, listWebhooks } from './read.ts';
export { updateWebhook } from './update.ts';
export { MAX_URL_LENGTH } from './url.ts';
