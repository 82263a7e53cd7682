export { createRecord } from './create.ts';
export { deleteRecord } from './delete.ts';
export { listRecords, oneRecord } from './read.ts';
export { DNS_RECORD_FIELDS } from './row.ts';
export { updateRecord } from './update.ts';
