import { requireCompatible } from '../../kernel/dns/conflicts.ts';
import { canonicalContent, withPriority } from '../../kernel/dns/content.ts';
import { qualifyIn, recordName } from '../../kernel/dns/names.ts';
import { type IfMatch, requireVersion } from '../../kernel/versions.ts';
import { record } from '../audit/index.ts';
import type { Deps } from '../deps.ts';
import { holdZone, requireRoomFor } from '../dns-zone/index.ts';
import { inOrganization } from '../organization/index.ts';
import type { OrganizationActor } from '../principal.ts';
import { markChanged } from '../zone-sync/index.ts';
import {
  DNS_RECORD_FIELDS,
  type DnsRecord,
  type RecordRow,
  requireRecord,
  shareTtl,
  siblingsOf,
  summaryOf,
  toRecord,
} from './row.ts';

/** Omitted keeps. Another type is another record. */
export type RecordChanges = {
  name?: string | undefined;
  content?: string | undefined;
  ttl?: number | undefined;
  priority?: number | undefined;
};

/** What is not given stays as it is stored. @throws BAD_REQUEST */
function contentAfter(
  { type, content: stored }: RecordRow,
  { content = stored, priority }: RecordChanges,
  zone: string,
): string {
  if (content === stored && priority === undefined) return stored;
  return canonicalContent(type, withPriority(type, content, priority), qualifyIn(zone));
}

/** @throws as `createRecord`; NOT_FOUND when it has just been deleted; PRECONDITION_FAILED when it has changed (`ifMatch`) */
export function updateRecord(
  deps: Deps,
  actor: OrganizationActor,
  { zoneId, recordId }: { zoneId: string; recordId: string },
  changes: RecordChanges,
  ifMatch?: IfMatch,
): Promise<DnsRecord> {
  return inOrganization(deps, actor, async (tx, { id: organizationId }, { principal, role }) => {
    const zone = await holdZone(tx, organizationId, zoneId);
    const row = await requireRecord(tx, zoneId, recordId);
    const before = toRecord(row, zone.name);
    requireVersion(ifMatch, DNS_RECORD_FIELDS, before);
    const now = deps.now();
    const { type } = row;
    const name = changes.name === undefined ? row.name : recordName(changes.name, zone.name);
    const content = contentAfter(row, changes, zone.name);
    const siblings = await siblingsOf(tx, zoneId, name, recordId);
    // Where it comes to others it takes their TTL.
    const theirs = name === row.name ? undefined : siblings.find((one) => one.type === type)?.ttl;
    const ttl = changes.ttl ?? theirs ?? row.ttl;
    const changesTheirs = theirs !== undefined && theirs !== ttl;
    const updated: RecordRow = { ...row, name, content, ttl, updatedAt: now };
    requireCompatible([...siblings, updated], zone.name);
    const more = content.length - row.content.length;
    if (more > 0) await requireRoomFor(tx, zoneId, { records: 0, octets: more });
    await tx`update dns_records set ${tx({ name, content, ttl, updatedAt: now })} where id = ${recordId}`;
    await shareTtl(tx, updated);
    await markChanged(tx, deps, zone);
    const after = toRecord(updated, zone.name);
    await record(tx, principal, now, {
      organizationId,
      role,
      action: 'update',
      resourceType: 'dnsRecord',
      resourceId: recordId,
      resourceName: after.name,
      before: { ...summaryOf(before), ...(changesTheirs ? { ttlOfOthers: theirs } : {}) },
      after: summaryOf(after),
    });
    return after;
  });
}
