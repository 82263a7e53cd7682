import { notFound } from '../../kernel/errors.ts';
import { canOnPlatform } from '../../kernel/permissions.ts';
import type { Deps } from '../deps.ts';
import { removeMember } from '../member/index.ts';
import { requireActor } from '../organization/index.ts';
import { requireCurrentPassword } from '../password/index.ts';
import type { Principal } from '../principal.ts';
import { deleteAccount } from './delete.ts';

export type Removal = {
  /** `me` or an account's id. */
  userId: string;
  /** Needed for one's own account. */
  currentPassword?: string | undefined;
  /** Whether organizations that nobody else belongs to are deleted with the account that owns them. */
  deleteOrganizations: boolean;
};

/** Whether this would remove the caller's own account. */
export const removesOneself = (principal: Principal, { userId }: Removal): boolean =>
  userId === 'me' || userId === principal.userId;

/**
 * Removes a person, as far as the caller's right over him reaches: oneself and, for platform administrators, anybody
 * of a lower platform role, with the whole account; a member of the active organization from that organization.
 *
 * @throws BAD_REQUEST without one's current password; NOT_FOUND for everybody whom the caller has no right over;
 *   and what deleteAccount and removeMember throw.
 */
export async function removeUser(deps: Deps, principal: Principal, input: Removal): Promise<void> {
  const { userId, deleteOrganizations } = input;
  if (removesOneself(principal, input)) {
    const currentHash = await requireCurrentPassword(
      deps,
      principal.userId,
      input.currentPassword,
      'currentPassword',
    );
    return deleteAccount(deps, principal, principal.userId, { deleteOrganizations, currentHash });
  }
  if (canOnPlatform(principal.platformRole, 'user.delete')) {
    return deleteAccount(deps, principal, userId, { deleteOrganizations });
  }
  await requireFellowMember(deps, principal, userId);
  return removeMember(
    deps,
    await requireActor(deps, principal, undefined, 'member:update'),
    { userId },
    'User',
  );
}

/** Asked before the right is: to a stranger everybody is unknown alike. */
async function requireFellowMember(deps: Deps, { active }: Principal, userId: string): Promise<void> {
  const [fellow] = await deps.db.query(
    (sql) => sql`
      select 1 from memberships where user_id = ${userId} and organization_id = ${active?.organizationId ?? null}`,
  );
  if (fellow === undefined) throw notFound('User');
}
