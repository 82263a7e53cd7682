import { preconditionFailed } from '../../kernel/errors.ts';
import { record } from '../audit/index.ts';
import type { Deps } from '../deps.ts';
import type { Principal } from '../principal.ts';
import { holdLicense, type License, summaryOf, toLicense } from './row.ts';

/**
 * Its key is unknown from then on. What is left of its destroyed deployments goes with it.
 *
 * @returns what was deleted
 * @throws NOT_FOUND; PRECONDITION_FAILED while it serves an organization or has deployments.
 */
export function deleteLicense(deps: Deps, principal: Principal, id: string): Promise<License> {
  return deps.db.transaction(async (tx) => {
    const license = await holdLicense(tx, id);
    if (license.organizationId !== null) {
      throw preconditionFailed('license_assigned', 'This license serves an organization. Unassign it first.');
    }
    await tx`delete from deployments where license_id = ${id} and status = 'destroyed'`;
    const left = await tx`select 1 from deployments where license_id = ${id} limit 1`;
    if (left.length > 0) {
      throw preconditionFailed(
        'license_has_deployments',
        'This license has deployments. Destroy them, or assign their organization another license.',
      );
    }
    await tx`delete from licenses where id = ${id}`;
    const now = deps.now();
    await record(tx, principal, now, {
      organizationId: null,
      role: principal.platformRole,
      action: 'delete',
      resourceType: 'license',
      resourceId: id,
      before: summaryOf(license),
    });
    return toLicense(license, now);
  });
}
