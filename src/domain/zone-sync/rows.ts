import type { Transaction } from '../../db/client.ts';
import type { dnsZones } from '../../db/schema/index.ts';
import { moveTarget, type RecordType } from '../../kernel/dns/content.ts';
import { MAX_NAME_LENGTH } from '../../kernel/dns/names.ts';
import { preconditionFailed } from '../../kernel/errors.ts';
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

type Target = { id: string; type: RecordType; content: string };

/**
 * Gives an organization's zone another name, with all its records; those that point into the zone follow. Nothing
 * happens where the organization has no zone of the old name, or has one of the new name already.
 *
 * @throws PRECONDITION_FAILED when a record's name would be too long
 */
export async function moveZone(
  tx: Transaction,
  deps: Deps,
  organizationId: string,
  { from, to }: { from: string; to: string },
): Promise<void> {
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
  const tooLong = await tx`
    select 1 from dns_records
    where zone_id = ${zone.id} and name <> '@' and length(name) + 1 + length(${to}::text) > ${MAX_NAME_LENGTH} limit 1`;
  if (tooLong.length > 0) {
    throw preconditionFailed(
      'dns_names_too_long',
      'With this handle the names of some DNS records would be too long.',
    );
  }
  const targets = await tx<Target[]>`
    select id, type, content from dns_records
    where zone_id = ${zone.id} and type in ('CNAME', 'NS', 'MX', 'SRV') and content like ${`%${from}.`}`;
  const moved = targets.map(({ id, type, content }) => ({
    id,
    content: moveTarget(type, content, from, to),
  }));
  await tx`
    update dns_records r set content = m.content, updated_at = ${now}
    from jsonb_to_recordset(${tx.json(moved)}) as m(id uuid, content text)
    where r.id = m.id and r.content <> m.content`;
  await addAt(tx, deps, { provider: zone.provider, name: to });
}
