export { type CreatedApiKey, createApiKey, type NewApiKey } from './create.ts';
export { deleteApiKey } from './delete.ts';
export { type ApiKey, listApiKeys } from './list.ts';
