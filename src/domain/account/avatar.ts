import { record } from '../audit/index.ts';
import { avatarUrl, type StoredAvatar, settleAvatar } from '../avatar/index.ts';
import type { Deps } from '../deps.ts';
import type { Principal } from '../principal.ts';
import { lockUser } from '../user-lock.ts';

/** Shows a stored picture as the caller's, or none. */
export function setUserAvatar(deps: Deps, principal: Principal, stored: StoredAvatar | null): Promise<void> {
  const { userId } = principal;
  return deps.db.transaction(async (tx) => {
    await lockUser(tx, userId);
    const [user] = await tx<{ name: string; avatarHash: string | null }[]>`
      select name, avatar_hash from users where id = ${userId}`;
    const before = user?.avatarHash ?? null;
    const hash = stored?.hash ?? null;
    const now = deps.now();
    await tx`update users set avatar_hash = ${hash}, updated_at = ${now} where id = ${userId}`;
    await settleAvatar(tx, deps, before, stored);
    await record(tx, principal, now, {
      organizationId: null,
      action: 'update',
      resourceType: 'user',
      resourceId: userId,
      resourceName: user?.name ?? null,
      before: { avatarUrl: avatarUrl(deps.rules, before) },
      after: { avatarUrl: avatarUrl(deps.rules, hash) },
    });
  });
}
