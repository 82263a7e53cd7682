export { createRecord, type NewRecord } from './create.ts';
export { deleteRecord } from './delete.ts';
export { listRecords, oneRecord, type RecordFilter } from './read.ts';
export { DNS_RECORD_FIELDS, type DnsRecord } from './row.ts';
export { type RecordChanges, updateRecord } from './update.ts';
