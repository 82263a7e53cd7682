import { requireCompatible } from '../../kernel/dns/conflicts.ts';
import { canonicalContent, type RecordType, withPriority } from '../../kernel/dns/content.ts';
import { qualifyIn, recordName } from '../../kernel/dns/names.ts';
import { DEFAULT_TTL } from '../../kernel/dns/zone-file.ts';
import { newId } from '../../kernel/ids.ts';
import { record } from '../audit/index.ts';
import type { Deps } from '../deps.ts';
import { holdZone, requireRoomFor } from '../dns-zone/index.ts';
import { inOrganization } from '../organization/index.ts';
import type { OrganizationActor } from '../principal.ts';
import { markChanged } from '../zone-sync/index.ts';
import { type DnsRecord, type RecordRow, shareTtl, siblingsOf, summaryOf, toRecord } from './row.ts';

export type NewRecord = {
  name: string;
  type: RecordType;
  content: string;
  ttl?: number | undefined;
  priority?: number | undefined;
};

/**
 * @throws BAD_REQUEST for a name outside the zone and for what is no content of the type; CONFLICT for a record that is
 *   there already or cannot stand beside those of its name; PRECONDITION_FAILED when the zone has no room
 */
export function createRecord(
  deps: Deps,
  actor: OrganizationActor,
  zoneId: string,
  input: NewRecord,
): Promise<DnsRecord> {
  return inOrganization(deps, actor, async (tx, { id: organizationId }, { principal, role }) => {
    const zone = await holdZone(tx, organizationId, zoneId);
    const now = deps.now();
    const { type } = input;
    const name = recordName(input.name, zone.name);
    const content = canonicalContent(
      type,
      withPriority(type, input.content, input.priority),
      qualifyIn(zone.name),
    );
    const siblings = await siblingsOf(tx, zoneId, name, null);
    const ttl = input.ttl ?? siblings.find((one) => one.type === type)?.ttl ?? DEFAULT_TTL;
    const row: RecordRow = { id: newId(), zoneId, name, type, content, ttl, createdAt: now, updatedAt: now };
    requireCompatible([...siblings, row], zone.name);
    await requireRoomFor(tx, zoneId, { records: 1, octets: content.length });
    await tx`insert into dns_records ${tx(row)}`;
    await shareTtl(tx, row);
    await markChanged(tx, deps, zone);
    const created = toRecord(row, zone.name);
    await record(tx, principal, now, {
      organizationId,
      role,
      action: 'create',
      resourceType: 'dnsRecord',
      resourceId: row.id,
      resourceName: created.name,
      after: summaryOf(created),
    });
    return created;
  });
}
