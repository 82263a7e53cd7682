import { sql } from 'drizzle-orm';
import { bigint, index, jsonb, pgTable, text, uniqueIndex, uuid } from 'drizzle-orm/pg-core';
import { createdAt, id } from '../columns.ts';
import { ofOrganization, ofOrganizationOrUser } from '../policies.ts';

/**
 * What happened, who did it and with what. No foreign keys: a row outlives everything that it names. Triggers refuse
 * every update and delete, and the rows of each chain are sealed one upon the other (see `domain/audit/chain.ts`).
 */
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
    /** Rows of one organization are a chain; rows without one are a chain for each user who acted. */
    chainId: uuid('chain_id').notNull().generatedAlwaysAs(sql`coalesce(organization_id, user_id)`),
    /** The place in the chain: 1, 2, 3… without gaps. */
    seq: bigint({ mode: 'number' }).notNull(),
    /** HMAC of this row and of the seal before it. Empty for rows from before there were chains. */
    seal: text().notNull(),
  },
  (t) => [
    index('audit_log_organization').on(t.organizationId, t.id),
    uniqueIndex('audit_log_chain').on(t.chainId, t.seq),
    index('audit_log_user').on(t.userId, t.id),
    ...ofOrganizationOrUser(t.organizationId, t.userId),
  ],
);

/** The end of each chain: the place and the seal of its newest row. Whoever appends to a chain holds its row here. */
export const auditChains = pgTable(
  'audit_chains',
  {
    /** Of the organization or the user. */
    id: uuid().primaryKey(),
    /** 0 while there are no rows. */
    seq: bigint({ mode: 'number' }).notNull(),
    seal: text().notNull(),
  },
  (t) => ofOrganization(t.id),
);
