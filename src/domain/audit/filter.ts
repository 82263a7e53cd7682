import type { Sql } from '../../db/client.ts';

export type AuditFilter = {
  userId?: string | undefined;
  userEmail?: string | undefined;
  resourceName?: string | undefined;
  action?: string | undefined;
  resourceType?: string | undefined;
  from?: Date | undefined;
  to?: Date | undefined;
};

/** Further conditions of a statement over audit_log. */
export const matching = (sql: Sql, filter: AuditFilter) => sql`
  ${filter.userId === undefined ? sql`` : sql`and user_id = ${filter.userId}`}
  ${filter.userEmail === undefined ? sql`` : sql`and user_email = ${filter.userEmail}`}
  ${filter.resourceName === undefined ? sql`` : sql`and resource_name = ${filter.resourceName}`}
  ${filter.action === undefined ? sql`` : sql`and action = ${filter.action}`}
  ${filter.resourceType === undefined ? sql`` : sql`and resource_type = ${filter.resourceType}`}
  ${filter.from === undefined ? sql`` : sql`and created_at >= ${filter.from}`}
  ${filter.to === undefined ? sql`` : sql`and created_at <= ${filter.to}`}`;
