import type { Transaction } from '../../db/client.ts';
import { beyondWall } from '../../db/wall.ts';

/**
 * Ends a membership and what hangs on it. Keys that are bound to the organization go with it, by their foreign key;
 * sessions and the other keys stop meaning it; where it was the default one, another of the user's is, an active one if
 * there is any. Open invitations that the user has sent fall with the right to send them. The caller holds the rows of
 * the user and of the organization.
 */
export async function endMembership(
  tx: Transaction,
  { id, userId, organizationId }: { id: string; userId: string; organizationId: string },
): Promise<void> {
  await tx`delete from memberships where id = ${id}`;
  await beyondWall(tx, () => leaveBehind(tx, userId, organizationId));
}

/** What the user has outside the organization. */
async function leaveBehind(tx: Transaction, userId: string, organizationId: string): Promise<void> {
  await tx`update sessions set active_organization_id = null
    where user_id = ${userId} and active_organization_id = ${organizationId}`;
  await tx`update api_keys set active_organization_id = null
    where user_id = ${userId} and active_organization_id = ${organizationId}`;
  await tx`
    update memberships set is_default = true
    where id = (
        select m.id from memberships m join organizations o on o.id = m.organization_id
        where m.user_id = ${userId} order by o.active desc, m.organization_id limit 1)
      and not exists (select 1 from memberships where user_id = ${userId} and is_default)`;
}
