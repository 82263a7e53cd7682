import { sql } from 'drizzle-orm';
import { bigint, check, foreignKey, index, integer, jsonb, pgTable, text, uuid } from 'drizzle-orm/pg-core';
import type { Permission } from '../../kernel/permissions.ts';
import { API_KEY_SCOPES } from '../../kernel/vocabulary.ts';
import { createdAt, id, moment } from '../columns.ts';
import { ofOrganizationOrUser } from '../policies.ts';
import { users } from './accounts.ts';
import { memberships } from './organizations.ts';

/**
 * `scope` organization: bound to `organizationId`, and gone with that membership by the foreign key. `scope` user:
 * acts on every organization of its holder, `activeOrganizationId` being the one meant when none is named.
 */
export const apiKeys = pgTable(
  'api_keys',
  {
    id: id(),
    userId: uuid('user_id')
      .notNull()
      .references(() => users.id, { onDelete: 'cascade' }),
    name: text().notNull(),
    prefix: text(),
    /** The first characters of the key, to tell keys apart. */
    start: text().notNull(),
    keyHash: text('key_hash').notNull().unique('api_keys_key_hash_unique'),
    /** After a rotation the key before is accepted until then. */
    previousKeyHash: text('previous_key_hash').unique('api_keys_previous_key_hash_unique'),
    previousKeyExpiresAt: moment('previous_key_expires_at'),
    /** Addresses and ranges (CIDR) that may use the key; null is anywhere. */
    allowedIps: jsonb('allowed_ips').$type<string[]>(),
    scope: text({ enum: API_KEY_SCOPES }).notNull(),
    organizationId: uuid('organization_id'),
    activeOrganizationId: uuid('active_organization_id'),
    permissions: jsonb().$type<Permission[]>(),
    expiresAt: moment('expires_at'),
    lastUsedAt: moment('last_used_at'),
    /** At most `rateLimitMax` requests in each `rateLimitTimeWindow` milliseconds; null is no limit. */
    rateLimitMax: integer('rate_limit_max'),
    rateLimitTimeWindow: bigint('rate_limit_time_window', { mode: 'number' }),
    windowStartedAt: moment('window_started_at'),
    windowCount: integer('window_count').notNull().default(0),
    /** Requests left before the key is exhausted, refilled by `refillAmount` every `refillInterval` milliseconds. */
    remaining: integer(),
    refillAmount: integer('refill_amount'),
    refillInterval: bigint('refill_interval', { mode: 'number' }),
    lastRefillAt: moment('last_refill_at'),
    createdAt: createdAt(),
  },
  (t) => [
    index('api_keys_user').on(t.userId, t.id),
    index('api_keys_membership').on(t.userId, t.organizationId),
    foreignKey({
      name: 'api_keys_membership_fk',
      columns: [t.userId, t.organizationId],
      foreignColumns: [memberships.userId, memberships.organizationId],
    }).onDelete('cascade'),
    ...ofOrganizationOrUser(t.organizationId, t.userId),
    check(
      'api_keys_scope_organization',
      sql`(${t.scope} = 'organization') = (${t.organizationId} is not null)`,
    ),
    check(
      'api_keys_previous_key_whole',
      sql`(${t.previousKeyHash} is null) = (${t.previousKeyExpiresAt} is null)`,
    ),
    check('api_keys_rate_limit_whole', sql`(${t.rateLimitMax} is null) = (${t.rateLimitTimeWindow} is null)`),
    check('api_keys_refill_whole', sql`(${t.refillAmount} is null) = (${t.refillInterval} is null)`),
  ],
);
