import { requireCompatible } from '../../kernel/dns/conflicts.ts';
import { canonicalContent, type RecordType, withPriority } from '../../kernel/dns/content.ts';
import { qualifyIn, recordName } from '../../kernel/dns/names.ts';
import { DEFAULT_TTL } from '../../kernel/dns/zone-file.ts';
import { forbidden } from '../../kernel/errors.ts';
import { newId } from '../../kernel/ids.ts';
import { can } from '../../kernel/permissions.ts';
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
 * A TTL that differs from that of the name and type changes the others, which needs the right to change them.
 *
 * @throws BAD_REQUEST for a name outside the zone and for what is no content of the type; CONFLICT for a record that is
 *   there already or cannot stand beside those of its name; FORBIDDEN for another TTL without the right to it;
 *   PRECONDITION_FAILED when the zone has no room
 */
export function createRecord(
  deps: Deps,
  actor: OrganizationActor,
  zoneId: string,
  input: NewRecord,
): Promise<DnsRecord> {
  return inOrganization(deps, actor, async (tx, { id: organizationId }, { principal, role, grant }) => {
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
    const theirs = siblings.find((one) => one.type === type)?.ttl;
    const ttl = input.ttl ?? theirs ?? DEFAULT_TTL;
    const changesTheirs = theirs !== undefined && theirs !== ttl;
    if (changesTheirs && !can(grant, 'dnsRecord:update')) {
      throw forbidden(
        'permission_missing',
        `The records of this name and type have the TTL ${theirs}: you need the permission dnsRecord:update to change it.`,
      );
    }
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
      ...(changesTheirs ? { before: { name: created.name, type, ttl: theirs } } : {}),
      after: summaryOf(created),
    });
    return created;
  });
}
