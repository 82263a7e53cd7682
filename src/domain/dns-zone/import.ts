import type { Transaction } from '../../db/client.ts';
import { requireCompatibleZone } from '../../kernel/dns/conflicts.ts';
import { requireRoom } from '../../kernel/dns/room.ts';
import type { StoredRecord } from '../../kernel/dns/rrsets.ts';
import { parseZoneFile } from '../../kernel/dns/zone-file.ts';
import { conflict, forbidden } from '../../kernel/errors.ts';
import { newId } from '../../kernel/ids.ts';
import { can, type Permission, type RoleGrant } from '../../kernel/permissions.ts';
import { record } from '../audit/index.ts';
import type { Deps } from '../deps.ts';
import { inOrganization } from '../organization/index.ts';
import type { OrganizationActor } from '../principal.ts';
import { markChanged } from '../zone-sync/index.ts';
import { holdZone, requireZone } from './row.ts';
import { storedRecords } from './stored.ts';

export type ImportMode = 'merge' | 'replace';
export type ImportResult = {
  added: number;
  updated: number;
  removed: number;
  unchanged: number;
  skipped: number;
  dryRun: boolean;
};

type Kept = StoredRecord & { id: string };
type Plan = { final: StoredRecord[]; added: Kept[]; updated: Kept[]; removed: string[] };

const setOf = ({ name, type }: StoredRecord): string => `${name} ${type}`;
const keyOf = (stored: StoredRecord): string => `${setOf(stored)} ${stored.content}`;

/** What comes in sets the TTL of its name and type, also for what stays beside it. */
function planImport(present: readonly Kept[], incoming: readonly StoredRecord[], mode: ImportMode): Plan {
  const wanted = new Set(incoming.map(keyOf));
  const ttls = new Map(incoming.map((one) => [setOf(one), one.ttl]));
  const stay = mode === 'merge' ? present : present.filter((one) => wanted.has(keyOf(one)));
  const known = new Set(stay.map(keyOf));
  const kept = stay.map((one) => ({ ...one, ttl: ttls.get(setOf(one)) ?? one.ttl }));
  const added = incoming.filter((one) => !known.has(keyOf(one))).map((one) => ({ ...one, id: newId() }));
  const staying = new Set(stay.map(({ id }) => id));
  return {
    final: [...kept, ...added],
    added,
    updated: kept.filter(({ ttl }, index) => ttl !== stay[index]?.ttl),
    removed: present.filter(({ id }) => !staying.has(id)).map(({ id }) => id),
  };
}

/** A file can do more than add: that needs more than the right to add. */
function requireRights(grant: RoleGrant, { updated, removed }: Plan): void {
  const needed: Permission[] = [
    ...(updated.length > 0 ? (['dnsRecord:update'] as const) : []),
    ...(removed.length > 0 ? (['dnsRecord:delete'] as const) : []),
  ];
  const missing = needed.find((permission) => !can(grant, permission));
  if (missing === undefined) return;
  throw forbidden('permission_missing', `You need the permission ${missing} for this.`);
}

async function write(tx: Transaction, zoneId: string, plan: Plan, now: Date): Promise<void> {
  await tx`
    delete from dns_records r using jsonb_array_elements_text(${tx.json(plan.removed)}) as gone(id)
    where r.id = gone.id::uuid and r.zone_id = ${zoneId}`;
  await tx`
    update dns_records r set ttl = u.ttl, updated_at = ${now}
    from jsonb_to_recordset(${tx.json(plan.updated)}) as u(id uuid, ttl int)
    where r.id = u.id and r.zone_id = ${zoneId}`;
  await tx`
    insert into dns_records (id, zone_id, name, type, content, ttl, created_at, updated_at)
    select id, ${zoneId}, name, type, content, ttl, ${now}, ${now}
    from jsonb_to_recordset(${tx.json(plan.added)}) as a(id uuid, name text, type text, content text, ttl int)`;
}

/**
 * Takes in a zone file, all of it or nothing. `merge` adds to what is there, `replace` takes away what the file does not
 * have. `dryRun` only counts.
 *
 * @throws BAD_REQUEST that names the line; FORBIDDEN for changes and removals without the right to them; CONFLICT for
 *   records that cannot stand beside one another; NOT_FOUND; PRECONDITION_FAILED for more than a zone has room for
 */
export async function importZone(
  deps: Deps,
  actor: OrganizationActor,
  zoneId: string,
  { zoneFile, mode, dryRun }: { zoneFile: string; mode: ImportMode; dryRun: boolean },
): Promise<ImportResult> {
  // Parsed before the organization is held, as a large file takes its time.
  const { name } = await deps.db.query((sql) => requireZone(sql, actor.organizationId, zoneId));
  const { records, skipped } = parseZoneFile(zoneFile, name);
  return inOrganization(deps, actor, async (tx, { id: organizationId }, { principal, role, grant }) => {
    const zone = await holdZone(tx, organizationId, zoneId);
    if (zone.name !== name)
      throw conflict('dns_zone_moved', 'The zone has just got another name. Try again.');
    const plan = planImport(await storedRecords(tx, zoneId), records, mode);
    const octets = plan.final.reduce((sum, { content }) => sum + content.length, 0); // all of it is ASCII
    requireRoom({ records: plan.final.length, octets });
    requireRights(grant, plan);
    requireCompatibleZone(plan.final, name);
    const [added, updated, removed] = [plan.added.length, plan.updated.length, plan.removed.length];
    const result = {
      added,
      updated,
      removed,
      unchanged: plan.final.length - added - updated,
      skipped,
      dryRun,
    };
    if (dryRun) return result;
    const now = deps.now();
    await write(tx, zoneId, plan, now);
    await markChanged(tx, deps, zone);
    await record(tx, principal, now, {
      organizationId,
      role,
      action: 'import',
      resourceType: 'dnsZone',
      resourceId: zoneId,
      resourceName: name,
      after: { mode, added, updated, removed },
    });
    return result;
  });
}
