export { createApiKey, type NewApiKey } from './create.ts';
export { deleteApiKey } from './delete.ts';
export { type ApiKey, listApiKeys } from './list.ts';
export { rotateApiKey } from './rotate.ts';
export { describeCaller } from './whoami.ts';
