export type { AuditEntry } from './chain.ts';
export { listAuditLog } from './list.ts';
export { exportAuditLog } from './pages.ts';
export { type AuditActor, type AuditEvent, record } from './record.ts';
export { AUDIT_FAULTS, chainIds, type Verdict, verifyChain } from './verify.ts';
