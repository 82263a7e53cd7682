import { record } from '../audit/index.ts';
import { avatarUrl, type StoredAvatar, settleAvatar } from '../avatar/index.ts';
import type { Deps } from '../deps.ts';
import type { OrganizationActor } from '../principal.ts';
import { inOrganization } from './actor.ts';

/** Shows a stored picture as the organization's, or none. */
export function setOrganizationAvatar(
  deps: Deps,
  actor: OrganizationActor,
  stored: StoredAvatar | null,
): Promise<void> {
  return inOrganization(deps, actor, async (tx, organization, { principal, role }) => {
    const { id, name, avatarHash: before } = organization;
    const hash = stored?.hash ?? null;
    const now = deps.now();
    await tx`update organizations set avatar_hash = ${hash}, updated_at = ${now} where id = ${id}`;
    await settleAvatar(tx, deps, before, stored);
    await record(tx, principal, now, {
      organizationId: id,
      role,
      action: 'update',
      resourceType: 'organization',
      resourceId: id,
      resourceName: name,
      before: { avatarUrl: avatarUrl(deps.rules, before) },
      after: { avatarUrl: avatarUrl(deps.rules, hash) },
    });
  });
}
