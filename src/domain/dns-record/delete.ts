import { record } from '../audit/index.ts';
import type { Deps } from '../deps.ts';
import { holdZone } from '../dns-zone/index.ts';
import { inOrganization } from '../organization/index.ts';
import type { OrganizationActor } from '../principal.ts';
import { markChanged } from '../zone-sync/index.ts';
import { type DnsRecord, requireRecord, summaryOf, toRecord } from './row.ts';

/**
 * @returns what was deleted
 * @throws NOT_FOUND when it was deleted before; PRECONDITION_FAILED in an inactive organization
 */
export function deleteRecord(
  deps: Deps,
  actor: OrganizationActor,
  { zoneId, recordId }: { zoneId: string; recordId: string },
): Promise<DnsRecord> {
  return inOrganization(deps, actor, async (tx, { id: organizationId }, { principal, role }) => {
    const zone = await holdZone(tx, organizationId, zoneId);
    const deleted = toRecord(await requireRecord(tx, zoneId, recordId), zone.name);
    await tx`delete from dns_records where id = ${recordId}`;
    await markChanged(tx, deps, zone);
    await record(tx, principal, deps.now(), {
      organizationId,
      role,
      action: 'delete',
      resourceType: 'dnsRecord',
      resourceId: recordId,
      resourceName: deleted.name,
      before: summaryOf(deleted),
    });
    return deleted;
  });
}
