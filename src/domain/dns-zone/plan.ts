import { rrsetsOf } from '../../kernel/dns/rrsets.ts';
import { unavailable } from '../../kernel/errors.ts';
import type { Deps } from '../deps.ts';
import { ProviderError } from '../dns-provider.ts';
import type { OrganizationActor } from '../principal.ts';
import { differences } from '../zone-sync/index.ts';
import { requireZone } from './row.ts';
import { storedRecords } from './stored.ts';

const MAX_SHOWN = 1_000;

type Side = { ttl: number; contents: string[] };
export type PlannedChange = {
  action: 'create' | 'update' | 'delete';
  name: string;
  type: string;
  before: Side | null;
  after: Side | null;
};
export type ZonePlan = {
  /** Whether there is a provider that was asked; without one everything is still to be created. */
  compared: boolean;
  total: number;
  changes: PlannedChange[];
};

const side = (set: Side | null): Side | null =>
  set === null ? null : { ttl: set.ttl, contents: set.contents };

/**
 * What the provider would be told now, without telling it.
 *
 * @throws NOT_FOUND; SERVICE_UNAVAILABLE when the provider does not answer
 */
export async function planZone(deps: Deps, actor: OrganizationActor, zoneId: string): Promise<ZonePlan> {
  const { zone, records } = await deps.db.query(async (sql) => ({
    zone: await requireZone(sql, actor.organizationId, zoneId),
    records: await storedRecords(sql, zoneId),
  }));
  const provider = deps.dns.providers[zone.provider];
  const actual = await provider?.find(zone.name, zone.providerZoneId).catch((error: unknown) => {
    throw error instanceof ProviderError ? unavailable('dns_provider_unavailable', error.message) : error;
  });
  const all = differences(rrsetsOf(records, zone.name), actual?.rrsets ?? []);
  const changes = all.slice(0, MAX_SHOWN).map(({ before, after }): PlannedChange => {
    const { name, type } = after ?? before;
    const action = before === null ? 'create' : after === null ? 'delete' : 'update';
    return { action, name, type, before: side(before), after: side(after) };
  });
  return { compared: provider !== undefined, total: all.length, changes };
}
