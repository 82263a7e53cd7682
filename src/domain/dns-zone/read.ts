import { NIL } from 'uuid';
import { printZoneFile } from '../../kernel/dns/zone-file.ts';
import type { Deps } from '../deps.ts';
import type { OrganizationActor } from '../principal.ts';
import { type FullZone, fullZones, requireZone, toZone, type Zone } from './row.ts';
import { storedRecords } from './stored.ts';

/** The zones of an organization, oldest first. */
export async function listZones(
  deps: Deps,
  { organizationId }: OrganizationActor,
  { limit, cursor }: { limit: number; cursor: string | null },
): Promise<Zone[]> {
  const rows = await deps.db.query(
    (sql) => sql<FullZone[]>`
      ${fullZones(sql)}
      where z.organization_id = ${organizationId} and z.id > ${cursor ?? NIL}
      order by z.id limit ${limit}`,
  );
  return rows.map(toZone);
}

/** @throws NOT_FOUND */
export const oneZone = async (
  deps: Deps,
  { organizationId }: OrganizationActor,
  zoneId: string,
): Promise<Zone> => toZone(await deps.db.query((sql) => requireZone(sql, organizationId, zoneId)));

/** The zone as a BIND file. Before a provider has it, it gets the name servers of the settings. @throws NOT_FOUND */
export function exportZone(
  deps: Deps,
  { organizationId }: OrganizationActor,
  zoneId: string,
): Promise<{ name: string; zoneFile: string }> {
  return deps.db.query(async (sql) => {
    const { name, provider, nameservers, version } = await requireZone(sql, organizationId, zoneId);
    const records = await storedRecords(sql, zoneId);
    const planned = provider === 'custom' ? deps.rules.dns.nameservers : [];
    const hosts = nameservers.length > 0 ? nameservers : planned;
    return { name, zoneFile: printZoneFile(name, hosts, records, version) };
  });
}
