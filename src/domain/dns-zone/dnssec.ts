import { record } from '../audit/index.ts';
import type { Deps } from '../deps.ts';
import { inOrganization } from '../organization/index.ts';
import type { OrganizationActor } from '../principal.ts';
import { markChanged } from '../zone-sync/index.ts';
import { holdZone, requireZone, summaryOf, toZone, type Zone } from './row.ts';

/**
 * Has the provider sign the zone, or stop. The DS records are there once it has.
 *
 * @throws NOT_FOUND; PRECONDITION_FAILED in an inactive organization
 */
export function setDnssec(
  deps: Deps,
  actor: OrganizationActor,
  zoneId: string,
  enabled: boolean,
): Promise<Zone> {
  return inOrganization(deps, actor, async (tx, { id: organizationId }, { principal, role }) => {
    const zone = await holdZone(tx, organizationId, zoneId);
    const now = deps.now();
    await tx`update dns_zones set dnssec = ${enabled}, updated_at = ${now} where id = ${zoneId}`;
    await markChanged(tx, deps, zone);
    await record(tx, principal, now, {
      organizationId,
      role,
      action: 'update',
      resourceType: 'dnsZone',
      resourceId: zoneId,
      resourceName: zone.name,
      before: summaryOf(zone),
      after: summaryOf({ ...zone, dnssec: enabled }),
    });
    return toZone(await requireZone(tx, organizationId, zoneId));
  });
}
