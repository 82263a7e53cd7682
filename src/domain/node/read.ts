import { NIL } from 'uuid';
import { notFound } from '../../kernel/errors.ts';
import type { NodePool } from '../../kernel/tiers.ts';
import type { Deps } from '../deps.ts';
import type { OrganizationActor } from '../principal.ts';
import { tierOf } from '../tier/index.ts';
import { type AvailableNode, availableNodes } from './placement.ts';
import { type Node, type NodeRow, shown, toNode } from './row.ts';

type Page = { limit: number; cursor: string | null };
export type NodeFilter = { organizationId: string | null; pool: NodePool | null; draining: boolean | null };

/** Every node of the installation, oldest first. */
export async function listNodes(deps: Deps, filter: NodeFilter, page: Page): Promise<Node[]> {
  const rows = await deps.db.query(
    (sql) => sql<NodeRow[]>`
      select ${shown(sql)} from nodes
      where (${filter.organizationId}::uuid is null or organization_id = ${filter.organizationId})
        and (${filter.pool}::text is null or pool = ${filter.pool})
        and (${filter.draining}::boolean is null or draining = ${filter.draining})
        and id > ${page.cursor ?? NIL}
      order by id
      limit ${page.limit}`,
  );
  return rows.map((row) => toNode(row, deps.now()));
}

/** With the number of servers on it. @throws NOT_FOUND */
export async function oneNode(deps: Deps, id: string): Promise<Node & { servers: number }> {
  const [row] = await deps.db.query(
    (sql) => sql<(NodeRow & { servers: number })[]>`
      select ${shown(sql)}, (select count(*) from servers where node_id = nodes.id) as servers
      from nodes where id = ${id}`,
  );
  if (row === undefined) throw notFound('Node');
  const { servers, ...node } = row;
  return { ...toNode(node, deps.now()), servers };
}

/** On which nodes an organization could place a server now. */
export function nodesFor(
  deps: Deps,
  { organizationId }: OrganizationActor,
  page: Page,
): Promise<AvailableNode[]> {
  const now = deps.now();
  return deps.db.query(async (sql) => {
    const tier = await tierOf(sql, organizationId, now);
    return availableNodes(sql, { organizationId, tier, now }, page);
  });
}
