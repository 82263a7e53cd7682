import { notFound } from '../../kernel/errors.ts';
import type { Deps } from '../deps.ts';
import { inOwner, type Owner, ownerColumns } from '../owner/index.ts';
import { shown, type TunnelDevice } from './row.ts';

/**
 * Removes a device: its allocations are closed by their foreign key, and its token opens nothing any more.
 *
 * @returns what was removed
 * @throws NOT_FOUND when it was removed before; PRECONDITION_FAILED in an inactive organization
 */
export function removeDevice(deps: Deps, owner: Owner, deviceId: string): Promise<TunnelDevice> {
  return inOwner(deps, owner, 'tunnelDevice', async (tx, log) => {
    const { userId, organizationId } = ownerColumns(owner);
    const [count] = await tx<{ allocations: number }[]>`
      select count(*) as allocations from tunnel_allocations where device_id = ${deviceId}`;
    const [device] = await tx<TunnelDevice[]>`
      delete from tunnel_devices
      where id = ${deviceId} and (user_id = ${userId} or organization_id = ${organizationId})
      returning ${shown(tx)}`;
    if (device === undefined) throw notFound('Tunnel device');
    const { name, ipAddress } = device;
    await log({
      action: 'delete',
      resourceId: deviceId,
      resourceName: name,
      before: { name, ipAddress, allocations: count?.allocations ?? 0 },
    });
    return device;
  });
}
