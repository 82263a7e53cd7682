import { canonicalContent } from '../../kernel/dns/content.ts';
import {
  changesBetween,
  type Rrset,
  type RrsetChange,
  rrsetsOf,
  type StoredRecord,
} from '../../kernel/dns/rrsets.ts';
import { DomainError } from '../../kernel/errors.ts';
import type { Deps } from '../deps.ts';
import { type DnsProvider, ProviderError, type ProviderRrset, type ProviderZone } from '../dns-provider.ts';
import { type Claim, claim, hold, keepZone, settleFailure, settleGone, settleSuccess } from './lease.ts';
import type { ZoneAt } from './rows.ts';

/** A zone that needs longer is gone on with in the next attempt, which starts at once. */
const BUDGET_MS = 60_000;

export type SyncOutcome = 'nothing to do' | 'done' | 'failed' | 'unreachable';

type Desired = { dnssec: boolean; isVerified: boolean; rrsets: Rrset[] };

type Row = Omit<Desired, 'rrsets'> & { [K in keyof StoredRecord]: StoredRecord[K] | null };

/** A zone as it is to be; undefined when the provider is to have none of this name. */
async function desiredZone(deps: Deps, { provider, name }: ZoneAt): Promise<Desired | undefined> {
  const rows = await deps.db.query(
    (sql) => sql<Row[]>`
      select z.dnssec, z.verified_at is not null as is_verified, r.name, r.type, r.content, r.ttl
      from dns_zones z left join dns_records r on r.zone_id = z.id
      where z.name = ${name} and z.provider = ${provider}`,
  );
  const [first] = rows;
  if (first === undefined) return undefined;
  const records = rows.filter((row): row is typeof row & StoredRecord => row.name !== null);
  return { dnssec: first.dnssec, isVerified: first.isVerified, rrsets: rrsetsOf(records, name) };
}

/** Contents in our own form, so that another way to write the same thing is no difference. */
const canonical = (set: ProviderRrset): ProviderRrset => ({
  ...set,
  contents: set.contents.map((content) => {
    try {
      return canonicalContent(set.type, content, (target) => target);
    } catch (error) {
      if (error instanceof DomainError) return content; // nothing of ours, so it differs
      throw error;
    }
  }),
});

export const differences = (desired: readonly Rrset[], actual: readonly ProviderRrset[]) =>
  changesBetween(desired, actual.map(canonical));

/**
 * Makes changes at once; where the provider refuses them, one half after the other, so that what it does not take keeps
 * nothing else back.
 *
 * @returns the first refusal
 */
async function applyAll(
  provider: DnsProvider,
  zone: ProviderZone,
  name: string,
  changes: readonly RrsetChange<ProviderRrset>[],
): Promise<ProviderError | undefined> {
  try {
    await provider.apply(zone.id, name, changes);
    return undefined;
  } catch (error) {
    if (!(error instanceof ProviderError) || error.kind !== 'refused') throw error;
    if (changes.length === 1) return error;
  }
  const half = changes.length >> 1;
  const first = await applyAll(provider, zone, name, changes.slice(0, half));
  return (await applyAll(provider, zone, name, changes.slice(half))) ?? first;
}

/** @returns false when there is more to do */
async function bring(
  deps: Deps,
  provider: DnsProvider,
  claimed: Claim,
  zone: ProviderZone,
  desired: Desired,
): Promise<boolean> {
  const { name } = claimed;
  const deadline = performance.now() + BUDGET_MS;
  const changes = differences(desired.rrsets, zone.rrsets);
  let refused: ProviderError | undefined;
  for (let at = 0; at < changes.length; at += provider.changesAtOnce) {
    if (performance.now() > deadline) return false;
    if (at > 0) await hold(deps, claimed);
    const part = changes.slice(at, at + provider.changesAtOnce);
    refused = (await applyAll(provider, zone, name, part)) ?? refused;
  }
  if (refused !== undefined) throw refused;
  if (zone.signed !== desired.dnssec) await provider.setSigned(zone.id, name, desired.dnssec);
  return true;
}

async function attempt(deps: Deps, provider: DnsProvider, claimed: Claim): Promise<void> {
  const { name, providerZoneId } = claimed;
  const desired = await desiredZone(deps, claimed);
  if (desired === undefined) {
    await provider.remove(name, providerZoneId);
    return settleGone(deps, claimed);
  }
  const zone = await provider.open(name, providerZoneId, desired.isVerified);
  await keepZone(deps, claimed, zone);
  const finished = await bring(deps, provider, claimed, zone, desired);
  const ds = desired.dnssec ? await provider.readDs(zone.id, name) : [];
  await settleSuccess(deps, claimed, { finished, ds });
}

/**
 * Makes one attempt to bring a provider to what the database says of a name, if one is due and nobody else is at it. How
 * it went is written down with the time of the next attempt.
 */
export async function syncZone(deps: Deps, zone: ZoneAt): Promise<SyncOutcome> {
  const provider = deps.dns.providers[zone.provider];
  if (provider === undefined) return 'nothing to do';
  const claimed = await claim(deps, zone);
  if (claimed === undefined) return 'nothing to do';
  try {
    await attempt(deps, provider, claimed);
    return 'done';
  } catch (error) {
    if (!(error instanceof ProviderError)) {
      await settleFailure(deps, claimed, new ProviderError('refused', 'The service failed. It tries again.'));
      throw error;
    }
    await settleFailure(deps, claimed, error);
    return error.kind === 'unreachable' ? 'unreachable' : 'failed';
  }
}
