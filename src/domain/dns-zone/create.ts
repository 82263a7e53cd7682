import { badRequest, preconditionFailed } from '../../kernel/errors.ts';
import type { DnsProviderName } from '../../kernel/vocabulary.ts';
import { record } from '../audit/index.ts';
import type { Deps } from '../deps.ts';
import { claimZone, inOrganization } from '../organization/index.ts';
import type { OrganizationActor } from '../principal.ts';
import { addZone } from '../zone-sync/index.ts';
import { requireZone, summaryOf, toZone, type Zone } from './row.ts';

const MAX_ZONES = 100;

/** With a choice only the operator's settings can be chosen from. @throws BAD_REQUEST */
function requireProvider({ dns, rules }: Deps, asked: DnsProviderName | undefined): DnsProviderName {
  if (asked === undefined || asked === rules.dns.provider || dns.providers[asked] !== undefined) {
    return asked ?? rules.dns.provider;
  }
  throw badRequest('provider', 'dns_provider_not_configured', `The provider ${asked} is not available here.`);
}

/**
 * @throws BAD_REQUEST for a name that nobody may have; CONFLICT for one that is taken, or lies above or below one of
 *   another organization; PRECONDITION_FAILED at the limit of zones
 */
export async function createZone(
  deps: Deps,
  actor: OrganizationActor,
  input: { name: string; provider?: DnsProviderName | undefined },
): Promise<Zone> {
  const provider = requireProvider(deps, input.provider);
  return inOrganization(deps, actor, async (tx, { id: organizationId }, { principal, role }) => {
    const [count] = await tx<{ zones: number }[]>`
      select count(*) as zones from dns_zones where organization_id = ${organizationId}`;
    if (count !== undefined && count.zones >= MAX_ZONES) {
      throw preconditionFailed('too_many_dns_zones', `An organization has at most ${MAX_ZONES} zones.`);
    }
    const name = await claimZone(tx, input.name, deps.rules, organizationId);
    const row = await addZone(tx, deps, organizationId, name, provider);
    await record(tx, principal, deps.now(), {
      organizationId,
      role,
      action: 'create',
      resourceType: 'dnsZone',
      resourceId: row.id,
      resourceName: name,
      after: summaryOf(row),
    });
    return toZone(await requireZone(tx, organizationId, row.id));
  });
}
