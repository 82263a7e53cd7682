import { sql } from 'drizzle-orm';
import { type AnyPgColumn, boolean, index, pgTable, text, uniqueIndex, uuid } from 'drizzle-orm/pg-core';
import { TIER_NAMES } from '../../kernel/tiers.ts';
import {
  DEPLOYMENT_COMPONENTS,
  DEPLOYMENT_HEALTHS,
  DEPLOYMENT_HOSTINGS,
  DEPLOYMENT_STATUSES,
} from '../../kernel/vocabulary.ts';
import { createdAt, id, moment, updatedAt } from '../columns.ts';
import { ofOrganization } from '../policies.ts';
import { organizations } from './organizations.ts';

/** What an organization may have. The only source of its tier; while it is not in force it counts for nothing. */
export const licenses = pgTable(
  'licenses',
  {
    id: id(),
    /** The key itself is made from the server's secret (domain/license/row.ts). */
    keyHash: text('key_hash').notNull().unique('licenses_key_hash_unique'),
    plan: text({ enum: TIER_NAMES }).notNull(),
    expiresAt: moment('expires_at'),
    active: boolean().notNull().default(true),
    /** The one organization that it serves, which has no other. */
    organizationId: uuid('organization_id')
      .unique('licenses_organization_unique')
      .references(() => organizations.id, { onDelete: 'set null' }),
    createdAt: createdAt(),
    updatedAt: updatedAt(),
  },
  (t) => ofOrganization(t.organizationId),
);

/** An installation of the product, under a license and for the organization that made it. */
export const deployments = pgTable(
  'deployments',
  {
    id: id(),
    licenseId: uuid('license_id')
      .notNull()
      .references(() => licenses.id),
    organizationId: uuid('organization_id')
      .notNull()
      .references(() => organizations.id, { onDelete: 'cascade' }),
    name: text().notNull(),
    subdomain: text().notNull(),
    baseDomain: text('base_domain').notNull(),
    componentType: text('component_type', { enum: DEPLOYMENT_COMPONENTS }).notNull(),
    /** The API that a client speaks to. */
    parentDeploymentId: uuid('parent_deployment_id').references((): AnyPgColumn => deployments.id),
    hostingType: text('hosting_type', { enum: DEPLOYMENT_HOSTINGS }).notNull(),
    version: text(),
    status: text({ enum: DEPLOYMENT_STATUSES }).notNull().default('pending'),
    /** What the instance last said of itself, at `reportedAt`. */
    health: text({ enum: DEPLOYMENT_HEALTHS }).notNull().default('unknown'),
    reportedAt: moment('reported_at'),
    createdAt: createdAt(),
    updatedAt: updatedAt(),
  },
  (t) => [
    uniqueIndex('deployments_address').on(t.subdomain, t.baseDomain).where(sql`${t.status} <> 'destroyed'`),
    // Names that are claimed are not to be above one (domain/organization/handle.ts).
    index('deployments_address_reversed')
      .using('btree', sql`reverse('.' || ${t.subdomain} || '.' || ${t.baseDomain}) text_pattern_ops`)
      .where(sql`${t.status} <> 'destroyed'`),
    index('deployments_license').on(t.licenseId, t.id),
    index('deployments_organization').on(t.organizationId, t.id),
    index('deployments_parent').on(t.parentDeploymentId),
    ...ofOrganization(t.organizationId),
  ],
);
