import type { Transaction } from '../../db/client.ts';
import { beyondWall } from '../../db/wall.ts';
import { notFound, preconditionFailed } from '../../kernel/errors.ts';
import { newId } from '../../kernel/ids.ts';
import type { Deps, Rules } from '../deps.ts';
import { inOwner, type Owner, ownerColumns } from '../owner/index.ts';
import type { TunnelAllocation } from './row.ts';

const MAX_PER_OWNER = 10;

export type NewAllocation = {
  protocol: TunnelAllocation['protocol'];
  /** The port on the device. */
  targetPort: number;
};

const summaryOf = ({ deviceId, host, protocol, publicPort, targetPort }: TunnelAllocation) => ({
  deviceId,
  host,
  protocol,
  publicPort,
  targetPort,
});

/** The caller holds the owner's row. @throws PRECONDITION_FAILED when as many are open as may be. */
async function requireRoom(tx: Transaction, { userId, organizationId }: ReturnType<typeof ownerColumns>) {
  const [count] = await tx<{ open: number }[]>`
    select count(*) as open from tunnel_allocations
    where user_id = ${userId} or organization_id = ${organizationId}`;
  if (count !== undefined && count.open >= MAX_PER_OWNER) {
    throw preconditionFailed(
      'too_many_tunnel_allocations',
      `At most ${MAX_PER_OWNER} tunnel allocations are open at once. Close one first.`,
    );
  }
}

/**
 * Any port of the range that nobody has. By chance, so that a port that was closed a moment ago, which others may still
 * connect to, seldom goes to somebody else at once. Whoever takes one of a host and protocol waits for the one before.
 */
async function takePort(
  tx: Transaction,
  { tunnels: { host, firstPort, lastPort } }: Rules,
  row: Omit<TunnelAllocation, 'host' | 'publicPort'>,
): Promise<TunnelAllocation> {
  const { protocol } = row;
  await tx`select pg_advisory_xact_lock(hashtextextended(${`tunnel ports ${protocol} ${host}`}, 0))`;
  const [free] = await beyondWall(
    tx,
    () => tx<{ port: number }[]>`
      select port from generate_series(${firstPort}::int, ${lastPort}::int) port
      where port not in (
        select public_port from tunnel_allocations where host = ${host} and protocol = ${protocol})
      order by random() limit 1`,
  );
  if (free === undefined) {
    throw preconditionFailed('no_free_port', `Every public ${protocol} port is taken. Try again later.`);
  }
  const allocation = { ...row, host, publicPort: free.port };
  await tx`insert into tunnel_allocations ${tx(allocation)}`;
  return allocation;
}

/**
 * Opens a public port that leads to a port of a device.
 *
 * @throws NOT_FOUND when the device has just been removed; PRECONDITION_FAILED at the limit of allocations, when no port
 *   is free, and in an inactive organization
 */
export function allocate(
  deps: Deps,
  owner: Owner,
  deviceId: string,
  { protocol, targetPort }: NewAllocation,
): Promise<TunnelAllocation> {
  return inOwner(deps, owner, 'tunnelAllocation', async (tx, log) => {
    const columns = ownerColumns(owner);
    const [device] = await tx<{ name: string }[]>`
      select name from tunnel_devices where id = ${deviceId}
        and (user_id = ${columns.userId} or organization_id = ${columns.organizationId})`;
    if (device === undefined) throw notFound('Tunnel device');
    await requireRoom(tx, columns);
    const row = { id: newId(), deviceId, ...columns, protocol, targetPort, createdAt: deps.now() };
    const allocation = await takePort(tx, deps.rules, row);
    const after = summaryOf(allocation);
    await log({ action: 'create', resourceId: row.id, resourceName: device.name, after });
    return allocation;
  });
}

/**
 * Closes an allocation; its port is free again.
 *
 * @returns what was closed
 * @throws NOT_FOUND when it was closed before; PRECONDITION_FAILED in an inactive organization
 */
export function closeAllocation(deps: Deps, owner: Owner, allocationId: string): Promise<TunnelAllocation> {
  return inOwner(deps, owner, 'tunnelAllocation', async (tx, log) => {
    const { userId, organizationId } = ownerColumns(owner);
    const [allocation] = await tx<TunnelAllocation[]>`
      delete from tunnel_allocations
      where id = ${allocationId} and (user_id = ${userId} or organization_id = ${organizationId})
      returning *`;
    if (allocation === undefined) throw notFound('Tunnel allocation');
    await log({ action: 'close', resourceId: allocationId, before: summaryOf(allocation) });
    return allocation;
  });
}
