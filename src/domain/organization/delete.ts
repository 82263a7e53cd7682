import { allowTime, type Transaction } from '../../db/client.ts';
import { beyondWall } from '../../db/wall.ts';
import { preconditionFailed } from '../../kernel/errors.ts';
import { type IfMatch, requireVersion } from '../../kernel/versions.ts';
import { record } from '../audit/index.ts';
import { releaseAvatar } from '../avatar/index.ts';
import type { Deps } from '../deps.ts';
import type { OrganizationActor, Principal } from '../principal.ts';
import { lockUser } from '../user-lock.ts';
import { withdrawZonesOf } from '../zone-sync/index.ts';
import { inOrganization } from './actor.ts';
import { obstacles } from './delete-preview.ts';
import type { OrganizationRow } from './row.ts';
import { ORGANIZATION_FIELDS } from './update.ts';

/**
 * Removes an organization with its members, invitations, keys and zones, which providers give up; its audit rows stay.
 *
 * @throws PRECONDITION_FAILED for the last organization that the owner has, while it runs something, and when it has
 *   changed (`ifMatch`).
 */
export function deleteOrganization(deps: Deps, actor: OrganizationActor, ifMatch?: IfMatch): Promise<void> {
  const { userId } = actor.principal;
  return inOrganization(
    deps,
    actor,
    async (tx, organization, { principal, role }) => {
      requireVersion(ifMatch, ORGANIZATION_FIELDS, organization);
      const [obstacle] = await obstacles(tx, userId, organization.id);
      if (obstacle !== undefined) throw preconditionFailed(obstacle.reason, obstacle.message);
      await dropOrganization(tx, deps, principal, role, organization);
    },
    { allowInactive: true, before: (tx) => lockUser(tx, userId) },
  );
}

/** The deletion itself, with its audit row. The caller holds the organization's row and has asked whether it may go. */
export async function dropOrganization(
  tx: Transaction,
  deps: Deps,
  principal: Principal,
  role: string,
  organization: Pick<OrganizationRow, 'id' | 'name' | 'handle' | 'ownerId' | 'avatarHash'>,
): Promise<void> {
  const { id, name, handle, ownerId } = organization;
  await allowTime(tx);
  await withdrawZonesOf(tx, deps, id);
  // Not every change holds the organization first. What those hold goes in their order: memberships with their keys, the
  // license, and then the webhooks, by their ids. The deletion itself would take them as they come.
  await tx`delete from memberships where organization_id = ${id}`;
  await beyondWall(tx, () => tx`update licenses set organization_id = null where organization_id = ${id}`);
  await tx`select 1 from webhooks where organization_id = ${id} order by id for update`;
  await tx`delete from organizations where id = ${id}`;
  await releaseAvatar(tx, deps, organization.avatarHash);
  await record(tx, principal, deps.now(), {
    organizationId: id,
    role,
    action: 'delete',
    resourceType: 'organization',
    resourceId: id,
    resourceName: name,
    before: { name, handle, ownerId },
  });
}
