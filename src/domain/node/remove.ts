import { preconditionFailed } from '../../kernel/errors.ts';
import { record } from '../audit/index.ts';
import type { Deps } from '../deps.ts';
import type { Principal } from '../principal.ts';
import { holdNode, type Node, summaryOf, toNode } from './row.ts';

/**
 * Its token is accepted no more.
 *
 * @returns what was removed
 * @throws NOT_FOUND; PRECONDITION_FAILED while servers are on it, or it is set aside for an organization.
 */
export function removeNode(deps: Deps, principal: Principal, id: string): Promise<Node> {
  return deps.db.transaction(async (tx) => {
    const node = await holdNode(tx, id);
    if (node.organizationId !== null) {
      throw preconditionFailed(
        'node_assigned',
        'This node is set aside for an organization. Unassign it first.',
      );
    }
    const [count] = await tx<{ n: number }[]>`select count(*) as n from servers where node_id = ${id}`;
    if (count !== undefined && count.n > 0) {
      const message = `There ${count.n === 1 ? 'is 1 server' : `are ${count.n} servers`} on this node. Remove ${count.n === 1 ? 'it' : 'them'} first.`;
      throw preconditionFailed('node_has_servers', message);
    }
    await tx`delete from nodes where id = ${id}`;
    const now = deps.now();
    await record(tx, principal, now, {
      organizationId: null,
      role: principal.platformRole,
      action: 'delete',
      resourceType: 'node',
      resourceId: id,
      resourceName: node.name,
      before: summaryOf(node),
    });
    return toNode(node, now);
  });
}
