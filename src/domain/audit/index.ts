export { type AuditEntry, listAuditLog } from './list.ts';
export { type AuditActor, record } from './record.ts';
