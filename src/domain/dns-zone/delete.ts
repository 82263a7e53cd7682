import { record } from '../audit/index.ts';
import type { Deps } from '../deps.ts';
import { inOrganization } from '../organization/index.ts';
import type { OrganizationActor } from '../principal.ts';
import { withdraw } from '../zone-sync/index.ts';
import { holdZone, summaryOf, toZone, type Zone } from './row.ts';

/**
 * With all its records; the provider gives it up afterwards.
 *
 * @returns what was deleted
 * @throws NOT_FOUND when it was deleted before; PRECONDITION_FAILED in an inactive organization
 */
export function deleteZone(deps: Deps, actor: OrganizationActor, zoneId: string): Promise<Zone> {
  return inOrganization(deps, actor, async (tx, { id: organizationId }, { principal, role }) => {
    const zone = await holdZone(tx, organizationId, zoneId);
    await withdraw(tx, deps, [zone]);
    await tx`delete from dns_zones where id = ${zoneId}`;
    await record(tx, principal, deps.now(), {
      organizationId,
      role,
      action: 'delete',
      resourceType: 'dnsZone',
      resourceId: zoneId,
      resourceName: zone.name,
      before: summaryOf(zone),
    });
    return toZone(zone);
  });
}
