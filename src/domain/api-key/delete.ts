import { notFound } from '../../kernel/errors.ts';
import { record } from '../audit/index.ts';
import type { Deps } from '../deps.ts';
import type { Principal } from '../principal.ts';
import type { ApiKey } from './list.ts';

/** Ends one of the caller's keys at once. @throws NOT_FOUND for any other id. */
export function deleteApiKey(deps: Deps, principal: Principal, apiKeyId: string): Promise<void> {
  return deps.db.transaction(async (tx) => {
    const [key] = await tx<
      Pick<ApiKey, 'id' | 'name' | 'scope' | 'organizationId' | 'activeOrganizationId'>[]
    >`
      delete from api_keys where id = ${apiKeyId} and user_id = ${principal.userId}
      returning id, name, scope, organization_id, active_organization_id`;
    if (key === undefined) throw notFound('API key');
    await record(tx, principal, deps.now(), {
      organizationId: key.organizationId ?? key.activeOrganizationId,
      action: 'delete',
      resourceType: 'apiKey',
      resourceId: key.id,
      resourceName: key.name,
      before: { name: key.name, scope: key.scope },
    });
  });
}
