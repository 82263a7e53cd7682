import { NIL } from 'uuid';
import type { Sql } from '../../db/client.ts';
import type { apiKeys } from '../../db/schema/index.ts';
import type { Deps } from '../deps.ts';
import type { Principal } from '../principal.ts';

type Hidden = 'keyHash' | 'previousKeyHash' | 'windowStartedAt' | 'windowCount' | 'lastRefillAt';
/** A key as its holder sees it later: everything but the key. */
export type ApiKey = Omit<typeof apiKeys.$inferSelect, Hidden>;

/** The columns of an `ApiKey`. */
export const shown = (sql: Sql) => sql`
  id, user_id, name, prefix, start, scope, organization_id, active_organization_id, permissions, allowed_ips,
  previous_key_expires_at, expires_at, last_used_at, rate_limit_max, rate_limit_time_window, remaining,
  refill_amount, refill_interval, created_at`;

/**
 * The caller's keys, oldest first. A key that is bound to an organization sees those of that organization, one that
 * is limited to permissions itself.
 */
export function listApiKeys(
  deps: Deps,
  principal: Principal,
  page: { limit: number; cursor: string | null },
): Promise<ApiKey[]> {
  const { key } = principal;
  const bound = key?.organizationId ?? null;
  const only = key !== null && key.permissions !== null ? key.id : null;
  return deps.db.query(
    (sql) => sql<ApiKey[]>`
      select ${shown(sql)} from api_keys
      where user_id = ${principal.userId}
        and (${bound}::uuid is null or organization_id = ${bound})
        and (${only}::uuid is null or id = ${only})
        and id > ${page.cursor ?? NIL}
      order by id
      limit ${page.limit}`,
  );
}
