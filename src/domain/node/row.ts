import type { Sql, Transaction } from '../../db/client.ts';
import type { nodes } from '../../db/schema/index.ts';
import { notFound } from '../../kernel/errors.ts';
import { HEARTBEAT_MS } from '../../kernel/placement.ts';

export type NodeRow = Omit<typeof nodes.$inferSelect, 'tokenHash'>;

/** A node as operators see it. `online` is whether it was heard of lately. */
export type Node = NodeRow & { online: boolean };

/** The columns of a `NodeRow`. */
export const shown = (sql: Sql) => sql`
  id, name, address, pool, organization_id, memory_mb, disk_mb, cpu_percent, used_memory_mb, used_disk_mb,
  used_cpu_percent, draining, agent_version, last_heartbeat_at, created_at, updated_at`;

export const toNode = (row: NodeRow, now: Date): Node => ({
  ...row,
  online: row.lastHeartbeatAt !== null && now.getTime() - row.lastHeartbeatAt.getTime() < HEARTBEAT_MS,
});

/** What the audit log says of a node. */
export const summaryOf = ({ name, address, pool, memoryMb, diskMb, cpuPercent, draining }: NodeRow) => ({
  name,
  address,
  pool,
  memoryMb,
  diskMb,
  cpuPercent,
  draining,
});

/** The node for the rest of the transaction: nothing is placed on it meanwhile. */
export async function holdNode(tx: Transaction, id: string): Promise<NodeRow> {
  const [row] = await tx<NodeRow[]>`select ${shown(tx)} from nodes where id = ${id} for update`;
  if (row === undefined) throw notFound('Node');
  return row;
}
