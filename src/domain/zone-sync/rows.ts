import type { Transaction } from '../../db/client.ts';
import type { dnsZones } from '../../db/schema/index.ts';
import { requireCompatibleZone } from '../../kernel/dns/conflicts.ts';
import { moveTarget } from '../../kernel/dns/content.ts';
import { fullName, MAX_NAME_LENGTH } from '../../kernel/dns/names.ts';
import type { StoredRecord } from '../../kernel/dns/rrsets.ts';
import { DomainError, preconditionFailed } from '../../kernel/errors.ts';
import { isWithin } from '../../kernel/handles.ts';
import { newId } from '../../kernel/ids.ts';
import { newSecret } from '../../kernel/secrets.ts';
import type { DnsProviderName } from '../../kernel/vocabulary.ts';
import type { Deps } from '../deps.ts';
import { enqueue } from '../job/index.ts';

export type ZoneRow = typeof dnsZones.$inferSelect;
/** A zone at its provider. */
export type ZoneAt = { provider: DnsProviderName; name: string };

async function wake(tx: Transaction, deps: Deps, zones: (ZoneAt & { at: Date })[]): Promise<void> {
  for (const { provider, name, at } of zones) {
    if (deps.dns.providers[provider] !== undefined) await enqueue(tx, 'dns.sync', { provider, name }, at);
  }
}

/** Asks for the provider to be brought to the zone as it will be when the transaction has committed. */
export async function markChanged(tx: Transaction, deps: Deps, { provider, name }: ZoneAt): Promise<void> {
  const now = deps.now();
  const rows = await tx<(ZoneAt & { at: Date })[]>`
    update dns_provider_zones
    set version = version + 1, next_attempt_at = greatest(${now}, coalesce(blocked_until, ${now}))
    where provider = ${provider} and name = ${name}
    returning provider, name, next_attempt_at as at`;
  await wake(tx, deps, rows);
}

/** What is left of an earlier zone of this name is brought to this one. */
async function addAt(tx: Transaction, deps: Deps, { provider, name }: ZoneAt): Promise<void> {
  const now = deps.now();
  const rows = await tx<(ZoneAt & { at: Date })[]>`
    insert into dns_provider_zones as z (provider, name, next_attempt_at, version)
    values (${provider}, ${name}, ${now}, 1)
    on conflict (provider, name) do update set synced_version = 0, ds = '[]', last_error = null,
      version = z.version + 1, next_attempt_at = greatest(${now}, coalesce(z.blocked_until, ${now}))
    returning provider, name, next_attempt_at as at`;
  await wake(tx, deps, rows);
}

/** Within the base domain, which is the platform's, nobody has to prove that a name is theirs. */
const verifiedFor = (deps: Deps, name: string, now: Date): Date | null =>
  isWithin(name, deps.rules.dnsBaseDomain) ? now : null;

/** A zone without records. The caller has claimed the name. */
export async function addZone(
  tx: Transaction,
  deps: Deps,
  organizationId: string,
  name: string,
  provider: DnsProviderName = deps.rules.dns.provider,
): Promise<ZoneRow> {
  const now = deps.now();
  const row: ZoneRow = {
    id: newId(),
    organizationId,
    name,
    provider,
    challenge: newSecret(),
    verifiedAt: verifiedFor(deps, name, now),
    dnssec: false,
    createdAt: now,
    updatedAt: now,
  };
  await Promise.all([tx`insert into dns_zones ${tx(row)}`.execute(), addAt(tx, deps, row)]);
  return row;
}

/**
 * Has providers give up names that no zone will have any more, once the transaction has committed. What no provider was
 * ever asked for is forgotten at once. To be called while the zones are there.
 */
export async function withdraw(tx: Transaction, deps: Deps, zones: readonly ZoneAt[]): Promise<void> {
  for (const zone of zones) {
    await tx`
      delete from dns_provider_zones where provider = ${zone.provider} and name = ${zone.name} and not touched`;
    await markChanged(tx, deps, zone);
  }
}

/** To be called while the organization is there, and its zones with it. */
export async function withdrawZonesOf(tx: Transaction, deps: Deps, organizationId: string): Promise<void> {
  const zones = await tx<ZoneAt[]>`
    select provider, name from dns_zones where organization_id = ${organizationId} order by name for update`;
  await withdraw(tx, deps, zones);
}

type Move = { from: string; to: string };
type Kept = StoredRecord & { id: string };

/** Records as they are in a zone of another name. @throws PRECONDITION_FAILED that names one that cannot be there */
function moveRecords(records: readonly Kept[], { from, to }: Move): Kept[] {
  const long = records.find(({ name }) => fullName(name, to).length > MAX_NAME_LENGTH);
  if (long !== undefined) {
    throw preconditionFailed(
      'dns_names_too_long',
      `With this handle the name of the DNS record ${fullName(long.name, from)} would be too long.`,
    );
  }
  try {
    const moved = records.map((one) => ({ ...one, content: moveTarget(one.type, one.content, from, to) }));
    requireCompatibleZone(moved, to);
    return moved;
  } catch (error) {
    if (!(error instanceof DomainError)) throw error;
    throw preconditionFailed(
      'dns_records_unfit',
      `With this handle DNS records are refused. ${error.message}`,
    );
  }
}

/**
 * Gives an organization's zone another name, with all its records; those that point into the zone follow. Nothing
 * happens where the organization has no zone of the old name, or has one of the new name already.
 *
 * @throws PRECONDITION_FAILED when a record's name would be too long, or a record could not stay as it is moved
 */
export async function moveZone(
  tx: Transaction,
  deps: Deps,
  organizationId: string,
  move: Move,
): Promise<void> {
  const { from, to } = move;
  const now = deps.now();
  const [zone] = await tx<ZoneRow[]>`
    select * from dns_zones
    where organization_id = ${organizationId} and name = ${from}
      and not exists (select 1 from dns_zones where name = ${to})
    for update`;
  if (zone === undefined) return;
  await withdraw(tx, deps, [zone]);
  await tx`
    update dns_zones set name = ${to}, verified_at = ${verifiedFor(deps, to, now)}, challenge = ${newSecret()},
      updated_at = ${now}
    where id = ${zone.id}`;
  const records = await tx<Kept[]>`
    select id, name, type, content, ttl from dns_records where zone_id = ${zone.id}`;
  const moved = moveRecords(records, move).filter(
    ({ content }, index) => content !== records[index]?.content,
  );
  // In two steps: what one gets another may still have, and the unique index is asked row by row.
  await tx`
    update dns_records set content = id::text
    where id in (select id from jsonb_to_recordset(${tx.json(moved)}) as m(id uuid))`;
  await tx`
    update dns_records r set content = m.content, updated_at = ${now}
    from jsonb_to_recordset(${tx.json(moved)}) as m(id uuid, content text)
    where r.id = m.id`;
  await addAt(tx, deps, { provider: zone.provider, name: to });
}
