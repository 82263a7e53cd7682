import type { Transaction } from '../../db/client.ts';
import { conflict, notFound } from '../../kernel/errors.ts';
import { record } from '../audit/index.ts';
import type { Deps } from '../deps.ts';
import { holdOrganization } from '../organization/index.ts';
import type { Principal } from '../principal.ts';
import { holdLicense, type License, type LicenseRow, shown, summaryOf, toLicense } from './row.ts';

/** The license that serves an organization, taken from it. The organization is held already. */
async function release(tx: Transaction, organizationId: string, now: Date): Promise<LicenseRow | undefined> {
  const [license] = await tx<LicenseRow[]>`
    update licenses set organization_id = null, updated_at = ${now} where organization_id = ${organizationId}
    returning ${shown(tx)}`;
  return license;
}

/**
 * Has a license serve an organization, instead of the one that did so far. The organization's deployments come under
 * it.
 *
 * @throws NOT_FOUND for either; CONFLICT for a license that serves another organization.
 */
export function assignLicense(
  deps: Deps,
  principal: Principal,
  organizationId: string,
  licenseId: string,
): Promise<License> {
  return deps.db.transaction(async (tx) => {
    const { name } = await holdOrganization(tx, organizationId);
    const license = await holdLicense(tx, licenseId);
    if (license.organizationId !== null && license.organizationId !== organizationId) {
      throw conflict(
        'license_assigned',
        'This license serves another organization. Unassign it there first.',
      );
    }
    const now = deps.now();
    const former = await release(tx, organizationId, now);
    const updated = { ...license, organizationId, updatedAt: now };
    await tx`update licenses set ${tx({ organizationId, updatedAt: now })} where id = ${licenseId}`;
    await tx`update deployments set license_id = ${licenseId} where organization_id = ${organizationId}`;
    await record(tx, principal, now, {
      organizationId,
      role: principal.platformRole,
      action: 'assign',
      resourceType: 'license',
      resourceId: licenseId,
      resourceName: name,
      ...(former === undefined ? {} : { before: { licenseId: former.id, ...summaryOf(former) } }),
      after: { licenseId, ...summaryOf(updated) },
    });
    return toLicense(updated, now);
  });
}

/**
 * Puts an organization back on the free plan. Its deployments stay with the license, out of sight until it has one again.
 *
 * @returns the license that served it
 * @throws NOT_FOUND for an organization without one.
 */
export function unassignLicense(deps: Deps, principal: Principal, organizationId: string): Promise<License> {
  return deps.db.transaction(async (tx) => {
    const { name } = await holdOrganization(tx, organizationId);
    const now = deps.now();
    const license = await release(tx, organizationId, now);
    if (license === undefined) throw notFound('License');
    await record(tx, principal, now, {
      organizationId,
      role: principal.platformRole,
      action: 'unassign',
      resourceType: 'license',
      resourceId: license.id,
      resourceName: name,
      before: { licenseId: license.id, ...summaryOf(license) },
    });
    return toLicense(license, now);
  });
}
