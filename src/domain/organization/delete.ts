import { preconditionFailed } from '../../kernel/errors.ts';
import { record } from '../audit/index.ts';
import type { Deps } from '../deps.ts';
import type { OrganizationActor } from '../principal.ts';
import { lockUser } from '../user-lock.ts';
import { inOrganization } from './actor.ts';

/**
 * Removes an organization with its members, invitations and keys; its audit rows stay.
 *
 * @throws PRECONDITION_FAILED for the last organization that the owner has.
 */
export function deleteOrganization(deps: Deps, actor: OrganizationActor): Promise<void> {
  const { userId } = actor.principal;
  return inOrganization(
    deps,
    actor,
    async (tx, organization, { principal, role }) => {
      const [row] = await tx<{ owned: number }[]>`
        select count(*) as owned from organizations where owner_id = ${userId}`;
      if (row === undefined || row.owned <= 1) {
        throw preconditionFailed(
          'last_organization',
          'This is the last organization you own. Create another one before you delete it.',
        );
      }
      await tx`delete from organizations where id = ${organization.id}`;
      await record(tx, principal, deps.now(), {
        organizationId: organization.id,
        role,
        action: 'delete',
        resourceType: 'organization',
        resourceId: organization.id,
        resourceName: organization.name,
        before: { name: organization.name, handle: organization.handle, ownerId: organization.ownerId },
      });
    },
    { allowInactive: true, before: (tx) => lockUser(tx, userId) },
  );
}
