import type { Transaction } from '../../db/client.ts';
import type { Deps } from '../deps.ts';
import { ProviderError, type ProviderZone } from '../dns-provider.ts';
import { enqueue } from '../job/index.ts';
import type { ZoneAt } from './rows.ts';

/** An attempt that shows no sign for so long has died with its process. */
const LEASE_MS = 25_000;
/** How often a zone that nobody has changed is compared, so that what others did to it is undone. */
const DRIFT_MS = 15 * 60_000;
/** Nobody knows when a provider is back, and asking costs little: there is one attempt a tick while it is away. */
const UNREACHABLE_MS = { first: 1_000, most: 4_000 };
const REFUSED_MS = { first: 30_000, most: 24 * 3_600_000 };

/** An attempt under way, on the version of the zone that it has begun with. */
export type Claim = ZoneAt & {
  lease: number;
  version: number;
  providerZoneId: string | null;
  failures: number;
};

/** Takes the attempt that is due, so that nobody else makes it; undefined when there is none. */
export async function claim(deps: Deps, { provider, name }: ZoneAt): Promise<Claim | undefined> {
  const now = deps.now();
  const [claimed] = await deps.db.query(
    (sql) => sql<Claim[]>`
      update dns_provider_zones
      set lease = lease + 1, lease_until = ${new Date(now.getTime() + LEASE_MS)}, touched = true
      where provider = ${provider} and name = ${name} and next_attempt_at <= ${now}
        and (lease_until is null or lease_until <= ${now})
      returning provider, name, lease, version, provider_zone_id, failures`,
  );
  return claimed;
}

const lost = () => new ProviderError('unreachable', 'Another attempt has taken over.');

/** Shows that the attempt is alive. @throws when another one has taken over */
export async function hold(deps: Deps, { provider, name, lease }: Claim): Promise<void> {
  const until = new Date(deps.now().getTime() + LEASE_MS);
  const { count } = await deps.db.query(
    (sql) => sql`
      update dns_provider_zones set lease_until = ${until}
      where provider = ${provider} and name = ${name} and lease = ${lease}`,
  );
  if (count === 0) throw lost();
}

/** Keeps what the provider calls the zone, before anything is put into it, and shows that the attempt is alive. */
export async function keepZone(deps: Deps, claimed: Claim, zone: ProviderZone): Promise<void> {
  const { provider, name, lease } = claimed;
  const until = new Date(deps.now().getTime() + LEASE_MS);
  const { count } = await deps.db.query(
    (sql) => sql`
      update dns_provider_zones
      set provider_zone_id = ${zone.id}, nameservers = ${sql.json(zone.nameservers)}, lease_until = ${until}
      where provider = ${provider} and name = ${name} and lease = ${lease}`,
  );
  if (count === 0) throw lost();
}

/** Some are a little early and some late, so that they do not all come at once. */
const spread = (ms: number): number => ms * (0.9 + Math.random() * 0.2);

/** `ifChanged` is for a zone that has changed since the attempt began. */
type Next = { next: Date; ifChanged: Date };

/** Ends an attempt, and asks for the next one where that is due at once. */
async function settle(
  deps: Deps,
  { provider, name, lease, version }: Claim,
  { next, ifChanged }: Next,
  changes: (tx: Transaction) => Record<string, unknown>,
): Promise<void> {
  const now = deps.now();
  await deps.db.transaction(async (tx) => {
    const [row] = await tx<{ isDue: boolean }[]>`
      update dns_provider_zones
      set ${tx(changes(tx))}, lease_until = null,
        next_attempt_at = case when version > ${version} then ${ifChanged}::timestamptz else ${next}::timestamptz end
      where provider = ${provider} and name = ${name} and lease = ${lease}
      returning next_attempt_at <= ${now} as is_due`;
    if (row?.isDue === true) await enqueue(tx, 'dns.sync', { provider, name }, now);
  });
}

/** `finished: false` leaves the zone as one that is still to be brought to its version. */
export function settleSuccess(
  deps: Deps,
  claimed: Claim,
  { finished, ds }: { finished: boolean; ds: string[] },
): Promise<void> {
  const now = deps.now();
  const next = finished ? new Date(now.getTime() + spread(DRIFT_MS)) : now;
  const reached = finished ? { syncedVersion: claimed.version, syncedAt: now } : {};
  return settle(deps, claimed, { next, ifChanged: now }, (tx) => ({
    ds: tx.json(ds),
    failures: 0,
    lastError: null,
    blockedUntil: null,
    ...reached,
  }));
}

/** Nothing is left of it anywhere; or a new zone has taken the name meanwhile, and is to be made. */
export async function settleGone(deps: Deps, claimed: Claim): Promise<void> {
  const { provider, name, lease, version } = claimed;
  const { count } = await deps.db.query(
    (sql) => sql`
      delete from dns_provider_zones
      where provider = ${provider} and name = ${name} and lease = ${lease} and version = ${version}`,
  );
  if (count > 0) return;
  const now = deps.now();
  const fresh = { providerZoneId: null, failures: 0, lastError: null, blockedUntil: null };
  await settle(deps, claimed, { next: now, ifChanged: now }, () => fresh);
}

/** A change is worth another attempt at once, unless the provider has asked for patience or does not answer. */
export async function settleFailure(deps: Deps, claimed: Claim, error: ProviderError): Promise<void> {
  const now = deps.now();
  const { first, most } = error.kind === 'refused' ? REFUSED_MS : UNREACHABLE_MS;
  const planned = Math.min(first * 2 ** Math.min(claimed.failures, 20), most);
  const next = new Date(now.getTime() + Math.max(planned, error.retryAfter * 1000));
  await settle(deps, claimed, { next, ifChanged: error.kind === 'refused' ? now : next }, () => ({
    failures: claimed.failures + 1,
    lastError: error.message,
    blockedUntil: error.kind === 'limited' ? next : null,
  }));
}
