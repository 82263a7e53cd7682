import { sql } from 'drizzle-orm';
import { check, foreignKey, index, integer, pgTable, text, unique, uuid } from 'drizzle-orm/pg-core';
import { TUNNEL_ENROLMENT_STATUSES, TUNNEL_PROTOCOLS } from '../../kernel/vocabulary.ts';
import { createdAt, id, moment } from '../columns.ts';
import { ofOrganizationOrUser, ofOwnerOrNobody } from '../policies.ts';
import { users } from './accounts.ts';
import { memberships, organizations } from './organizations.ts';

/**
 * A device that asks to be taken in. Once approved it has an owner: `organizationId`, or else the approver. It is gone
 * when the device has fetched its token, and with the approver's account or membership.
 */
export const tunnelEnrolments = pgTable(
  'tunnel_enrolments',
  {
    /** The device will have it too. */
    id: id(),
    deviceCodeHash: text('device_code_hash').notNull().unique('tunnel_enrolments_device_code_hash_unique'),
    /** Under the server's secret: a user code is short enough to be guessed from a plain hash. */
    userCodeHash: text('user_code_hash').notNull().unique('tunnel_enrolments_user_code_hash_unique'),
    /** What the device calls itself. */
    name: text().notNull(),
    ipAddress: text('ip_address'),
    status: text({ enum: TUNNEL_ENROLMENT_STATUSES }).notNull().default('pending'),
    approvedBy: uuid('approved_by').references(() => users.id, { onDelete: 'cascade' }),
    organizationId: uuid('organization_id'),
    /** Seconds between two polls. */
    pollInterval: integer('poll_interval').notNull(),
    lastPolledAt: moment('last_polled_at'),
    expiresAt: moment('expires_at').notNull(),
    createdAt: createdAt(),
  },
  (t) => [
    index('tunnel_enrolments_expiry').on(t.expiresAt),
    index('tunnel_enrolments_owner').on(t.approvedBy, t.organizationId),
    index('tunnel_enrolments_organization').on(t.organizationId),
    foreignKey({
      name: 'tunnel_enrolments_membership_fk',
      columns: [t.approvedBy, t.organizationId],
      foreignColumns: [memberships.userId, memberships.organizationId],
    }).onDelete('cascade'),
    ...ofOwnerOrNobody(t.organizationId, t.approvedBy),
    check(
      'tunnel_enrolments_approver',
      sql`(${t.status} = 'approved') = (${t.approvedBy} is not null)
        and (${t.organizationId} is null or ${t.approvedBy} is not null)`,
    ),
  ],
);

/** Owned by a user or by an organization. */
export const tunnelDevices = pgTable(
  'tunnel_devices',
  {
    id: id(),
    userId: uuid('user_id').references(() => users.id, { onDelete: 'cascade' }),
    organizationId: uuid('organization_id').references(() => organizations.id, { onDelete: 'cascade' }),
    name: text().notNull(),
    tokenHash: text('token_hash').notNull().unique('tunnel_devices_token_hash_unique'),
    /** From where it asked to be taken in. */
    ipAddress: text('ip_address'),
    /** Written at most once a minute. */
    lastSeenAt: moment('last_seen_at'),
    createdAt: createdAt(),
  },
  (t) => [
    index('tunnel_devices_user').on(t.userId, t.id),
    index('tunnel_devices_organization').on(t.organizationId, t.id),
    ...ofOrganizationOrUser(t.organizationId, t.userId),
    check('tunnel_devices_one_owner', sql`num_nonnulls(${t.userId}, ${t.organizationId}) = 1`),
  ],
);

/** A public port that leads to a port of a device. There is a row as long as it is open. */
export const tunnelAllocations = pgTable(
  'tunnel_allocations',
  {
    id: id(),
    deviceId: uuid('device_id')
      .notNull()
      .references(() => tunnelDevices.id, { onDelete: 'cascade' }),
    /** Of the device, which never changes its owner. */
    userId: uuid('user_id'),
    organizationId: uuid('organization_id'),
    /** Where the public port is: the setting may change, an open allocation does not. */
    host: text().notNull(),
    protocol: text({ enum: TUNNEL_PROTOCOLS }).notNull(),
    publicPort: integer('public_port').notNull(),
    targetPort: integer('target_port').notNull(),
    createdAt: createdAt(),
  },
  (t) => [
    unique('tunnel_allocations_port_unique').on(t.host, t.protocol, t.publicPort),
    index('tunnel_allocations_device').on(t.deviceId, t.id),
    index('tunnel_allocations_user').on(t.userId, t.id),
    index('tunnel_allocations_organization').on(t.organizationId, t.id),
    ...ofOrganizationOrUser(t.organizationId, t.userId),
    check('tunnel_allocations_one_owner', sql`num_nonnulls(${t.userId}, ${t.organizationId}) = 1`),
    check(
      'tunnel_allocations_ports',
      sql`${t.publicPort} between 1 and 65535 and ${t.targetPort} between 1 and 65535`,
    ),
  ],
);
