import { record } from '../audit/index.ts';
import type { Deps } from '../deps.ts';
import { inOrganization } from '../organization/index.ts';
import type { OrganizationActor } from '../principal.ts';
import { markChanged } from '../zone-sync/index.ts';
import { challengeName, type FullZone, holdZone, requireZone, toZone, type Zone } from './row.ts';

type Proof = 'delegation' | 'challenge' | null;

/**
 * Cloudflare's name servers serve everybody, and only the pair of them tells whose account it is. The others are the
 * operator's.
 */
const isDelegated = ({ provider, nameservers }: FullZone, seen: readonly string[]): boolean =>
  provider === 'cloudflare'
    ? nameservers.length > 0 && [...seen].sort().join() === [...nameservers].sort().join()
    : seen.some((host) => nameservers.includes(host));

/** Either is enough: the domain is delegated to the zone's name servers, or shows the challenge at its present ones. */
async function proofOf({ dns }: Deps, zone: FullZone): Promise<Proof> {
  const { name, challenge } = zone;
  const [seen, texts] = await Promise.allSettled([
    dns.resolver.nameservers(name),
    dns.resolver.texts(challengeName(name)),
  ]);
  if (seen.status === 'fulfilled' && isDelegated(zone, seen.value)) return 'delegation';
  if (texts.status === 'fulfilled' && texts.value.includes(challenge)) return 'challenge';
  // A question without an answer might have been the one that proves it.
  for (const answer of [seen, texts]) if (answer.status === 'rejected') throw answer.reason;
  return null;
}

/**
 * Looks whether the domain is the organization's, and has the provider brought to the zone now instead of later.
 *
 * @throws NOT_FOUND; SERVICE_UNAVAILABLE when no name server answers; PRECONDITION_FAILED in an inactive organization
 */
export async function verifyZone(deps: Deps, actor: OrganizationActor, zoneId: string): Promise<Zone> {
  const asked = await deps.db.query((sql) => requireZone(sql, actor.organizationId, zoneId));
  const proof = asked.verifiedAt === null ? await proofOf(deps, asked) : null;
  return inOrganization(deps, actor, async (tx, { id: organizationId }, { principal, role }) => {
    const zone = await holdZone(tx, organizationId, zoneId);
    const now = deps.now();
    // What was seen holds for the challenge that it was seen for: another name has another one.
    const proved = proof !== null && zone.challenge === asked.challenge;
    const verifiedAt = zone.verifiedAt ?? (proved ? now : null);
    await tx`update dns_zones set verified_at = ${verifiedAt} where id = ${zoneId}`;
    await markChanged(tx, deps, zone);
    await record(tx, principal, now, {
      organizationId,
      role,
      action: 'verify',
      resourceType: 'dnsZone',
      resourceId: zoneId,
      resourceName: zone.name,
      after: { verified: verifiedAt !== null, proof },
    });
    return toZone(await requireZone(tx, organizationId, zoneId));
  });
}
