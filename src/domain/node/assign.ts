import type { Transaction } from '../../db/client.ts';
import { preconditionFailed } from '../../kernel/errors.ts';
import { allowanceOf } from '../../kernel/tiers.ts';
import { record } from '../audit/index.ts';
import type { Deps } from '../deps.ts';
import { holdOrganization } from '../organization/index.ts';
import type { Principal } from '../principal.ts';
import { tierOf } from '../tier/index.ts';
import { holdNode, type Node, type NodeRow, summaryOf, toNode } from './row.ts';

/** Nobody else's servers are on the node, which is held: none come before it is dedicated. */
async function requireNoForeignServers(
  tx: Transaction,
  node: NodeRow,
  organizationId: string,
): Promise<void> {
  const [count] = await tx<{ n: number }[]>`
    select count(*) as n from servers where node_id = ${node.id} and organization_id <> ${organizationId}`;
  if (count === undefined || count.n === 0) return;
  throw preconditionFailed(
    'node_has_foreign_servers',
    `There ${count.n === 1 ? 'is 1 server' : `are ${count.n} servers`} of other organizations on this node.`,
  );
}

/**
 * Sets a node aside for an organization: from then on it takes servers of that one only, while its tier has dedicated
 * nodes.
 *
 * @throws NOT_FOUND for either; PRECONDITION_FAILED for an organization whose tier has none, and for a node that is set
 *   aside for another or has servers of others.
 */
export function assignNode(
  deps: Deps,
  principal: Principal,
  nodeId: string,
  organizationId: string,
): Promise<Node> {
  return deps.db.transaction(async (tx) => {
    await holdOrganization(tx, organizationId);
    const node = await holdNode(tx, nodeId);
    const now = deps.now();
    if (!allowanceOf(await tierOf(tx, organizationId, now)).dedicatedNodes) {
      throw preconditionFailed('enterprise_required', 'Dedicated nodes are for the enterprise tier.');
    }
    if (node.organizationId !== null && node.organizationId !== organizationId) {
      throw preconditionFailed(
        'node_assigned',
        'This node is set aside for another organization. Unassign it first.',
      );
    }
    await requireNoForeignServers(tx, node, organizationId);
    const updated = { ...node, organizationId, updatedAt: now };
    await tx`update nodes set ${tx({ organizationId, updatedAt: now })} where id = ${nodeId}`;
    await record(tx, principal, now, {
      organizationId,
      role: principal.platformRole,
      action: 'assign',
      resourceType: 'node',
      resourceId: nodeId,
      resourceName: node.name,
      after: summaryOf(updated),
    });
    return toNode(updated, now);
  });
}

/**
 * Gives a dedicated node back to its pool. The organization's servers on it stay.
 *
 * @throws NOT_FOUND; PRECONDITION_FAILED for a node that is not dedicated.
 */
export function unassignNode(deps: Deps, principal: Principal, nodeId: string): Promise<Node> {
  return deps.db.transaction(async (tx) => {
    const node = await holdNode(tx, nodeId);
    if (node.organizationId === null) {
      throw preconditionFailed('node_not_assigned', 'This node is set aside for no organization.');
    }
    const now = deps.now();
    await tx`update nodes set organization_id = null, updated_at = ${now} where id = ${nodeId}`;
    await record(tx, principal, now, {
      organizationId: node.organizationId,
      role: principal.platformRole,
      action: 'unassign',
      resourceType: 'node',
      resourceId: nodeId,
      resourceName: node.name,
      before: summaryOf(node),
    });
    return toNode({ ...node, organizationId: null, updatedAt: now }, now);
  });
}
