import { allowTime } from '../../db/client.ts';
import { DNS_PROVIDERS } from '../../kernel/vocabulary.ts';
import type { Deps } from '../deps.ts';
import type { ZoneAt } from './rows.ts';
import { syncZone } from './sync.ts';

/** At once in a sweep; what changes is synchronized by jobs besides. */
const AT_ONCE = 4;
const LIMIT = 200;

/**
 * Follows the settings: zones whose provider was never asked and is not configured go to the one that is, and those
 * inside the base domain need no proof.
 */
export async function adoptZones(deps: Deps): Promise<void> {
  const { provider } = deps.rules.dns;
  const inBase = `%.${deps.rules.dnsBaseDomain}`;
  const others = DNS_PROVIDERS.filter((name) => deps.dns.providers[name] === undefined);
  await deps.db.transaction(async (tx) => {
    await allowTime(tx); // it may be every zone there is
    // As every change of a zone does, which then holds the zone and what is known of it at its provider.
    await tx`
      select 1 from organizations o
      where exists (
        select 1 from dns_zones z
        where z.organization_id = o.id and (z.provider in ${tx(['', ...others])}
          or (z.verified_at is null and z.name like ${inBase})))
      order by id for no key update`;
    await tx`
      with moved as (
        update dns_provider_zones p set provider = ${provider}
        where provider in ${tx(['', ...others])} and not touched and not exists (
          select 1 from dns_provider_zones o where o.provider = ${provider} and o.name = p.name)
        returning name)
      update dns_zones z set provider = ${provider} from moved m where z.name = m.name`;
    await tx`update dns_zones set verified_at = ${deps.now()} where verified_at is null and name like ${inBase}`;
  });
}

/** The zones whose next attempt is due, longest first: for a retry, for a comparison, or because a job was lost. */
const dueZones = (deps: Deps): Promise<ZoneAt[]> => {
  const now = deps.now();
  const configured = DNS_PROVIDERS.filter((name) => deps.dns.providers[name] !== undefined);
  return deps.db.query(
    (sql) => sql<ZoneAt[]>`
      select provider, name from dns_provider_zones
      where provider in ${sql(['', ...configured])} and next_attempt_at <= ${now}
        and (lease_until is null or lease_until <= ${now})
      order by next_attempt_at limit ${LIMIT}`,
  );
};

/** Synchronizes what is due. A provider that does not answer is left alone until the next sweep. */
export async function sweepZones(deps: Deps): Promise<void> {
  const away = new Set<string>();
  const due = await dueZones(deps);
  const next = async (): Promise<void> => {
    for (let zone = due.shift(); zone !== undefined; zone = due.shift()) {
      if (away.has(zone.provider)) continue;
      if ((await syncZone(deps, zone)) === 'unreachable') away.add(zone.provider);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, next));
}
