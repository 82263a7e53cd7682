import type { Transaction } from '../../db/client.ts';
import { newId } from '../../kernel/ids.ts';
import { listenersTo, publish } from '../event/index.ts';
import type { Origin } from '../principal.ts';
import { secretOf } from '../sealing.ts';
import { type ChainHead, chainOf, EMPTY_CHAIN, sealOf } from './chain.ts';
import { redact } from './redact.ts';

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
  /** Text in fields that are named like secrets is left out. */
  before?: Record<string, unknown>;
  after?: Record<string, unknown>;
};

/**
 * Writes what was done, in the transaction that does it: no row, no change. The end of the row's chain is locked until
 * the transaction ends, which keeps the chain without gaps. It is the last lock of all: whatever else a change locks, it
 * locks before. Of two rows, that of an organization comes before that of a user, unless the user is made here.
 */
export async function record(tx: Transaction, actor: AuditActor, at: Date, event: AuditEvent): Promise<void> {
  const chainId = chainOf({ organizationId: event.organizationId, userId: actor.userId });
  const isFirst = event.action === 'create' && event.resourceId === chainId; // nobody else knows of the chain yet
  // To what has just been made nobody listens. Sent in this order: the webhooks are held before the chain.
  const [listeners, head] = isFirst
    ? [[], EMPTY_CHAIN]
    : await Promise.all([listenersTo(tx, event), lockHead(tx, chainId)]);
  const row = {
    id: newId(), // made under the lock, so that one process numbers its rows in the order of the chain
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
    before: toJson(event.before),
    after: toJson(event.after),
    createdAt: at,
    seq: head.seq + 1,
  };
  const seal = sealOf(secretOf(tx), head.seal, row);
  const { before, after } = row;
  const stored = {
    ...row,
    seal,
    before: before === null ? null : tx.json(before),
    after: after === null ? null : tx.json(after),
  };
  const next = { id: chainId, seq: row.seq, seal };
  const moveHead = isFirst
    ? tx`insert into audit_chains ${tx(next)}`
    : tx`update audit_chains set ${tx(next, 'seq', 'seal')} where id = ${chainId}`;
  const change = { ...event, before: before ?? undefined, after: after ?? undefined };
  await Promise.all([
    tx`with head as (${moveHead}) insert into audit_log ${tx(stored)}`,
    publish(tx, actor, at, change, listeners),
  ]);
}

/** Two statements when the chain is new: what a statement waited for, only the next one sees. */
async function lockHead(tx: Transaction, chainId: string): Promise<ChainHead> {
  const read = () =>
    tx<ChainHead[]>`select seq, seal from audit_chains where id = ${chainId} for no key update`;
  const [head] = await read();
  if (head !== undefined) return head;
  await tx`insert into audit_chains ${tx({ id: chainId, ...EMPTY_CHAIN })} on conflict do nothing`;
  const [made = EMPTY_CHAIN] = await read();
  return made;
}

/** Dates become text here, as they will be read. */
const toJson = (value: Record<string, unknown> | undefined) =>
  value === undefined ? null : JSON.parse(JSON.stringify(redact(JSON.parse(JSON.stringify(value)))));
