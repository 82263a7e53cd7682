import { index, jsonb, pgTable, text, uuid } from 'drizzle-orm/pg-core';
import { createdAt, id } from '../columns.ts';

/** What happened, who did it and with what. No foreign keys: a row outlives everything that it names. */
export const auditLog = pgTable(
  'audit_log',
  {
    id: id(),
    organizationId: uuid('organization_id'),
    userId: uuid('user_id'),
    userEmail: text('user_email'),
    userRole: text('user_role'),
    apiKeyId: uuid('api_key_id'),
    ipAddress: text('ip_address'),
    requestId: text('request_id'),
    action: text().notNull(),
    resourceType: text('resource_type').notNull(),
    resourceId: text('resource_id'),
    resourceName: text('resource_name'),
    /** The changed fields as they were and as they are now, without secrets. */
    before: jsonb().$type<Record<string, unknown>>(),
    after: jsonb().$type<Record<string, unknown>>(),
    createdAt: createdAt(),
  },
  (t) => [
    index('audit_log_organization').on(t.organizationId, t.id),
    index('audit_log_user').on(t.userId, t.id),
  ],
);
