import { preconditionFailed } from '../../kernel/errors.ts';
import { record } from '../audit/index.ts';
import type { Deps } from '../deps.ts';
import { inOrganization } from '../organization/index.ts';
import type { OrganizationActor } from '../principal.ts';
import { lockUser } from '../user-lock.ts';
import { endMembership } from './end.ts';

/** Ends the caller's own membership. @throws PRECONDITION_FAILED for the owner, who transfers or deletes instead. */
export function leaveOrganization(deps: Deps, actor: OrganizationActor): Promise<void> {
  const { userId } = actor.principal;
  return inOrganization(
    deps,
    actor,
    async (tx, organization, { principal, memberId, role }) => {
      if (organization.ownerId === userId) {
        throw preconditionFailed(
          'owner_cannot_leave',
          'You own this organization. Transfer or delete it instead.',
        );
      }
      await endMembership(tx, { id: memberId, userId, organizationId: organization.id });
      await record(tx, principal, deps.now(), {
        organizationId: organization.id,
        role,
        action: 'leave',
        resourceType: 'member',
        resourceId: memberId,
        resourceName: principal.email,
        before: { userId, role },
      });
    },
    { before: (tx) => lockUser(tx, userId) },
  );
}
