import type { apiKeys } from '../../db/schema/index.ts';
import type { Deps } from '../deps.ts';
import type { Principal } from '../principal.ts';

type Hidden = 'keyHash' | 'windowStartedAt' | 'windowCount' | 'lastRefillAt';
/** A key as its holder sees it later: everything but the key. */
export type ApiKey = Omit<typeof apiKeys.$inferSelect, Hidden>;

/** The caller's keys, oldest first. A key that is bound to an organization sees those of that organization. */
export function listApiKeys(
  deps: Deps,
  principal: Principal,
  page: { limit: number; cursor: string | null },
): Promise<ApiKey[]> {
  const bound = principal.key?.organizationId ?? null;
  return deps.db.query(
    (sql) => sql<ApiKey[]>`
      select id, user_id, name, prefix, start, scope, organization_id, active_organization_id, permissions, expires_at,
        last_used_at, rate_limit_max, rate_limit_time_window, remaining, refill_amount, refill_interval, created_at
      from api_keys
      where user_id = ${principal.userId}
        and (${bound}::uuid is null or organization_id = ${bound})
        and (${page.cursor}::uuid is null or id > ${page.cursor})
      order by id
      limit ${page.limit}`,
  );
}
