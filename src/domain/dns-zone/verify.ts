import { record } from '../audit/index.ts';
import type { Deps } from '../deps.ts';
import { inOrganization } from '../organization/index.ts';
import type { OrganizationActor } from '../principal.ts';
import { markChanged } from '../zone-sync/index.ts';
import { challengeName, type FullZone, holdZone, requireZone, toZone, type Zone } from './row.ts';

type Proof = 'delegation' | 'challenge' | null;

/** Either is enough: the domain has one of the zone's name servers, or shows the challenge at its present ones. */
async function proofOf({ dns }: Deps, { name, nameservers, challenge }: FullZone): Promise<Proof> {
  const [seen, texts] = await Promise.allSettled([
    dns.resolver.nameservers(name),
    dns.resolver.texts(challengeName(name)),
  ]);
  if (seen.status === 'fulfilled' && seen.value.some((host) => nameservers.includes(host)))
    return 'delegation';
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
