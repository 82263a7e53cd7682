import { notFound } from '../../kernel/errors.ts';
import { record } from '../audit/index.ts';
import type { Deps } from '../deps.ts';
import type { Principal } from '../principal.ts';
import { lockUser } from '../user-lock.ts';
import type { ApiKey } from './list.ts';

/** Ends one of the caller's keys at once. @throws NOT_FOUND for any other id. */
export function deleteApiKey(deps: Deps, principal: Principal, apiKeyId: string): Promise<void> {
  return deps.db.transaction(async (tx) => {
    await lockUser(tx, principal.userId);
    // An organization that the holder has left keeps no trail of him.
    const [key] = await tx<(Pick<ApiKey, 'id' | 'name' | 'scope'> & { trail: string | null })[]>`
      delete from api_keys k where id = ${apiKeyId} and user_id = ${principal.userId}
      returning id, name, scope, (
        select m.organization_id from memberships m
        where m.user_id = k.user_id and m.organization_id = coalesce(k.organization_id, k.active_organization_id)
      ) as trail`;
    if (key === undefined) throw notFound('API key');
    await record(tx, principal, deps.now(), {
      organizationId: key.trail,
      action: 'delete',
      resourceType: 'apiKey',
      resourceId: key.id,
      resourceName: key.name,
      before: { name: key.name, scope: key.scope },
    });
  });
}
