import type { Deps } from '../deps.ts';
import type { OrganizationActor } from '../principal.ts';
import type { AuditEntry } from './chain.ts';
import { type AuditFilter, matching } from './filter.ts';

/** Newest first. `cursor` is the id of the last row of the page before; `offset` skips rows where there is none. */
export function listAuditLog(
  deps: Deps,
  actor: OrganizationActor,
  filter: AuditFilter,
  page: { limit: number; offset: number; cursor: string | null },
): Promise<AuditEntry[]> {
  return deps.reader.query(
    (sql) => sql<AuditEntry[]>`
      select * from audit_log
      where organization_id = ${actor.organizationId} ${matching(sql, filter)}
        ${page.cursor === null ? sql`` : sql`and id < ${page.cursor}`}
      order by id desc
      limit ${page.limit} offset ${page.cursor === null ? page.offset : 0}`,
  );
}
