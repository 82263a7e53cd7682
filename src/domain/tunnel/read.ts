import { NIL } from 'uuid';
import type { Deps } from '../deps.ts';
import { type Owner, ownerColumns } from '../owner/index.ts';
import { shown, type TunnelAllocation, type TunnelDevice } from './row.ts';

/** The devices of an owner, oldest first. */
export function listDevices(
  deps: Deps,
  owner: Owner,
  page: { limit: number; cursor: string | null },
): Promise<TunnelDevice[]> {
  const { userId, organizationId } = ownerColumns(owner);
  return deps.db.query(
    (sql) => sql<TunnelDevice[]>`
      select ${shown(sql)} from tunnel_devices
      where (user_id = ${userId} or organization_id = ${organizationId})
        and id > ${page.cursor ?? NIL}
      order by id
      limit ${page.limit}`,
  );
}

/** The open allocations of an owner, oldest first; there are few. */
export function listAllocations(deps: Deps, owner: Owner): Promise<TunnelAllocation[]> {
  const { userId, organizationId } = ownerColumns(owner);
  return deps.db.query(
    (sql) => sql<TunnelAllocation[]>`
      select * from tunnel_allocations
      where user_id = ${userId} or organization_id = ${organizationId} order by id`,
  );
}

/** Those of one device. */
export const allocationsOf = (deps: Deps, device: { id: string }): Promise<TunnelAllocation[]> =>
  deps.db.query(
    (sql) => sql<TunnelAllocation[]>`
      select * from tunnel_allocations where device_id = ${device.id} order by id`,
  );
