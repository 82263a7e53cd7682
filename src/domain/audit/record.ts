import type { Transaction } from '../../db/client.ts';
import { newId } from '../../kernel/ids.ts';
import type { Origin } from '../principal.ts';

/** Who is named in the trail: a principal has all of it, a registration only what is known. */
export type AuditActor = Origin & { userId: string; email: string; key?: { id: string } | null };

export type AuditEvent = {
  organizationId: string | null;
  /** The actor's role at that moment. */
  role?: string;
  /** A verb: create, update, delete, accept, reject, login… */
  action: string;
  resourceType: string;
  resourceId: string;
  resourceName?: string | null;
  before?: Record<string, unknown>;
  after?: Record<string, unknown>;
};

/** Writes what was done, in the transaction that does it: no row, no change. */
export async function record(tx: Transaction, actor: AuditActor, at: Date, event: AuditEvent): Promise<void> {
  const row = {
    id: newId(),
    organizationId: event.organizationId,
    userId: actor.userId,
    userEmail: actor.email,
    userRole: event.role ?? null,
    apiKeyId: actor.key?.id ?? null,
    ipAddress: actor.ipAddress,
    requestId: actor.requestId,
    action: event.action,
    resourceType: event.resourceType,
    resourceId: event.resourceId,
    resourceName: event.resourceName ?? null,
    before: event.before === undefined ? null : tx.json(toJson(event.before)),
    after: event.after === undefined ? null : tx.json(toJson(event.after)),
    createdAt: at,
  };
  await tx`insert into audit_log ${tx(row)}`;
}

/** Dates become text here, as they will be read. */
const toJson = (value: Record<string, unknown>) => JSON.parse(JSON.stringify(value));
