import type { auditLog } from '../../db/schema/index.ts';
import type { Deps } from '../deps.ts';
import type { OrganizationActor } from '../principal.ts';

export type AuditEntry = typeof auditLog.$inferSelect;

export type AuditFilter = {
  userId?: string | undefined;
  userEmail?: string | undefined;
  resourceName?: string | undefined;
  action?: string | undefined;
  resourceType?: string | undefined;
  from?: Date | undefined;
  to?: Date | undefined;
};

/** Newest first. `cursor` is the id of the last row of the page before; `offset` skips rows after it. */
export function listAuditLog(
  deps: Deps,
  actor: OrganizationActor,
  filter: AuditFilter,
  page: { limit: number; offset: number; cursor?: string | undefined },
): Promise<AuditEntry[]> {
  return deps.db.query(
    (sql) => sql<AuditEntry[]>`
      select * from audit_log
      where organization_id = ${actor.organizationId}
        ${filter.userId === undefined ? sql`` : sql`and user_id = ${filter.userId}`}
        ${filter.userEmail === undefined ? sql`` : sql`and user_email = ${filter.userEmail}`}
        ${filter.resourceName === undefined ? sql`` : sql`and resource_name = ${filter.resourceName}`}
        ${filter.action === undefined ? sql`` : sql`and action = ${filter.action}`}
        ${filter.resourceType === undefined ? sql`` : sql`and resource_type = ${filter.resourceType}`}
        ${filter.from === undefined ? sql`` : sql`and created_at >= ${filter.from}`}
        ${filter.to === undefined ? sql`` : sql`and created_at <= ${filter.to}`}
        ${page.cursor === undefined ? sql`` : sql`and id < ${page.cursor}`}
      order by id desc
      limit ${page.limit} offset ${page.offset}`,
  );
}
