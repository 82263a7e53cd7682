import { preconditionFailed } from '../../kernel/errors.ts';
import { type IfMatch, requireVersion } from '../../kernel/versions.ts';
import { record } from '../audit/index.ts';
import type { Deps } from '../deps.ts';
import type { Principal } from '../principal.ts';
import { type NewNode, nameTaken } from './create.ts';
import { holdNode, type Node, type NodeRow, summaryOf, toNode } from './row.ts';

/** By which an ETag tells one state from another. */
export const NODE_FIELDS = ['name', 'address', 'pool', 'memoryMb', 'diskMb', 'cpuPercent', 'draining'];

/** Omitted keeps, null clears. */
export type NodeChanges = { [K in keyof NewNode]?: NewNode[K] | undefined };

function requireCapacity(node: NodeRow): void {
  const { memoryMb, diskMb, cpuPercent, usedMemoryMb, usedDiskMb, usedCpuPercent } = node;
  if (usedMemoryMb <= memoryMb && usedDiskMb <= diskMb && usedCpuPercent <= cpuPercent) return;
  throw preconditionFailed(
    'node_capacity_in_use',
    `Its servers take ${usedMemoryMb} MB of memory, ${usedDiskMb} MB of disk and ${usedCpuPercent} % of processor time: it cannot have less.`,
  );
}

/**
 * A draining node takes no new servers; those that it has stay, whatever else changes.
 *
 * @throws NOT_FOUND; CONFLICT for a name that is taken; PRECONDITION_FAILED for less than its servers take, and when it
 *   has changed (`ifMatch`).
 */
export function updateNode(
  deps: Deps,
  principal: Principal,
  id: string,
  changes: NodeChanges,
  ifMatch?: IfMatch,
): Promise<Node> {
  return deps.db.transaction(async (tx) => {
    const node = await holdNode(tx, id);
    requireVersion(ifMatch, NODE_FIELDS, node);
    const now = deps.now();
    const updated: NodeRow = {
      ...node,
      name: changes.name ?? node.name,
      address: changes.address === undefined ? node.address : changes.address,
      pool: changes.pool ?? node.pool,
      memoryMb: changes.memoryMb ?? node.memoryMb,
      diskMb: changes.diskMb ?? node.diskMb,
      cpuPercent: changes.cpuPercent ?? node.cpuPercent,
      draining: changes.draining ?? node.draining,
      updatedAt: now,
    };
    requireCapacity(updated);
    const others = await tx`select 1 from nodes where name = ${updated.name} and id <> ${id}`;
    if (others.length > 0) throw nameTaken();
    await tx`update nodes set ${tx(updated)} where id = ${id}`;
    await record(tx, principal, now, {
      organizationId: null,
      role: principal.platformRole,
      action: 'update',
      resourceType: 'node',
      resourceId: id,
      resourceName: updated.name,
      before: summaryOf(node),
      after: summaryOf(updated),
    });
    return toNode(updated, now);
  });
}
