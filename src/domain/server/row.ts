import type { Transaction } from '../../db/client.ts';
import type { servers } from '../../db/schema/index.ts';
import { notFound } from '../../kernel/errors.ts';
import type { ServerSize } from '../../kernel/placement.ts';

export type Server = typeof servers.$inferSelect;

export const sizeOf = ({ memoryMb, diskMb, cpuPercent }: ServerSize): ServerSize => ({
  memoryMb,
  diskMb,
  cpuPercent,
});

/** What the audit log says of a server. */
export const summaryOf = ({ name, nodeId, desiredState, ...server }: Server) => ({
  name,
  nodeId,
  ...sizeOf(server),
  desiredState,
});

/** The server for the rest of the transaction. Its organization is held already, its node is held after it. */
export async function holdServer(tx: Transaction, organizationId: string, id: string): Promise<Server> {
  const [row] = await tx<Server[]>`
    select * from servers where id = ${id} and organization_id = ${organizationId} for no key update`;
  if (row === undefined) throw notFound('Server');
  return row;
}
