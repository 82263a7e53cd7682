import type { Tier } from '../../kernel/tiers.ts';
import { type IfMatch, requireVersion } from '../../kernel/versions.ts';
import { record } from '../audit/index.ts';
import type { Deps } from '../deps.ts';
import type { Principal } from '../principal.ts';
import { holdLicense, type License, summaryOf, toLicense } from './row.ts';

/** By which an ETag tells one state from another. */
export const LICENSE_FIELDS = ['plan', 'expiresAt', 'active'];

/** Omitted keeps, null clears. */
export type LicenseChanges = {
  plan?: Tier | undefined;
  expiresAt?: Date | null | undefined;
  active?: boolean | undefined;
};

/**
 * Holds from the next call on: what the organization has beyond its new tier stays, and nothing new comes.
 *
 * @throws NOT_FOUND; PRECONDITION_FAILED when it has changed (`ifMatch`).
 */
export function updateLicense(
  deps: Deps,
  principal: Principal,
  id: string,
  changes: LicenseChanges,
  ifMatch?: IfMatch,
): Promise<License> {
  return deps.db.transaction(async (tx) => {
    const license = await holdLicense(tx, id);
    requireVersion(ifMatch, LICENSE_FIELDS, license);
    const now = deps.now();
    const updated = {
      ...license,
      plan: changes.plan ?? license.plan,
      expiresAt: changes.expiresAt === undefined ? license.expiresAt : changes.expiresAt,
      active: changes.active ?? license.active,
      updatedAt: now,
    };
    await tx`update licenses set ${tx(updated)} where id = ${id}`;
    await record(tx, principal, now, {
      organizationId: license.organizationId,
      role: principal.platformRole,
      action: 'update',
      resourceType: 'license',
      resourceId: id,
      before: summaryOf(license),
      after: summaryOf(updated),
    });
    return toLicense(updated, now);
  });
}
