import { sql } from 'drizzle-orm';
import {
  boolean,
  check,
  index,
  integer,
  jsonb,
  pgTable,
  text,
  unique,
  uniqueIndex,
  uuid,
} from 'drizzle-orm/pg-core';
import type { Permission, Role } from '../../kernel/permissions.ts';
import { INVITATION_STATUSES } from '../../kernel/vocabulary.ts';
import { createdAt, id, moment, updatedAt } from '../columns.ts';
import { ofOrganization } from '../policies.ts';
import { users } from './accounts.ts';

/**
 * The part of a role's name that is no built-in one. By it the deferred foreign keys of migration custom_roles, which
 * drizzle cannot describe, refer to a role that the organization has.
 */
const customPart = (role: string, and = '') =>
  sql.raw(`case when ${role} not in ('owner', 'admin', 'member')${and} then ${role} end`);

/**
 * Exactly one owner: `owner_id` and the constant `owner_role` refer to the owner's membership by a deferred foreign
 * key (migration 0001, which drizzle cannot describe), and memberships allow one owner each.
 */
export const organizations = pgTable(
  'organizations',
  {
    id: id(),
    name: text().notNull(),
    slug: text().notNull().unique('organizations_slug_unique'),
    handle: text().notNull().unique('organizations_handle_unique'),
    logo: text(),
    /** Content hash of the uploaded picture; see domain/avatar. */
    avatarHash: text('avatar_hash'),
    description: text(),
    metadata: text(),
    active: boolean().notNull().default(true),
    defaultRole: text('default_role').$type<Role>(),
    customDefaultRole: text('custom_default_role').generatedAlwaysAs(customPart('default_role')),
    ownerId: uuid('owner_id')
      .notNull()
      .references(() => users.id),
    ownerRole: text('owner_role').notNull().generatedAlwaysAs(sql`'owner'`),
    createdAt: createdAt(),
    updatedAt: updatedAt(),
  },
  (t) => [
    index('organizations_owner').on(t.ownerId),
    // Finds every name below another one: reverse(handle) like reverse('.' || name) || '%'.
    index('organizations_handle_reversed').on(sql`reverse(${t.handle}) text_pattern_ops`),
    ...ofOrganization(t.id),
    check('organizations_handle_lower_case', sql`${t.handle} = lower(${t.handle})`),
  ],
);

/** Roles that an organization has made, besides owner, admin and member. */
export const customRoles = pgTable(
  'custom_roles',
  {
    id: id(),
    organizationId: uuid('organization_id')
      .notNull()
      .references(() => organizations.id, { onDelete: 'cascade' }),
    name: text().notNull(),
    permissions: jsonb().$type<Permission[]>().notNull(),
    createdAt: createdAt(),
    updatedAt: updatedAt(),
  },
  (t) => [
    unique('custom_roles_name_unique').on(t.organizationId, t.name),
    // Support and support would be taken for one another.
    uniqueIndex('custom_roles_name_any_case').on(t.organizationId, sql`lower(${t.name})`),
    ...ofOrganization(t.organizationId),
    check('custom_roles_name_own', sql`${t.name} not in ('owner', 'admin', 'member')`),
  ],
);

export const memberships = pgTable(
  'memberships',
  {
    id: id(),
    organizationId: uuid('organization_id')
      .notNull()
      .references(() => organizations.id, { onDelete: 'cascade' }),
    userId: uuid('user_id')
      .notNull()
      .references(() => users.id, { onDelete: 'cascade' }),
    role: text().$type<Role>().notNull(),
    customRole: text('custom_role').generatedAlwaysAs(customPart('role')),
    isDefault: boolean('is_default').notNull().default(false),
    createdAt: createdAt(),
  },
  (t) => [
    index('memberships_organization').on(t.organizationId, t.id),
    unique('memberships_user_organization_unique').on(t.userId, t.organizationId),
    unique('memberships_organization_user_role_unique').on(t.organizationId, t.userId, t.role),
    uniqueIndex('memberships_one_owner').on(t.organizationId).where(sql`${t.role} = 'owner'`),
    uniqueIndex('memberships_one_default').on(t.userId).where(sql`${t.isDefault}`),
    ...ofOrganization(t.organizationId),
  ],
);

export const invitations = pgTable(
  'invitations',
  {
    id: id(),
    organizationId: uuid('organization_id')
      .notNull()
      .references(() => organizations.id, { onDelete: 'cascade' }),
    email: text().notNull(),
    role: text().$type<Role>().notNull(),
    /** Closed ones keep the name of a role that may be gone. */
    customRole: text('custom_role').generatedAlwaysAs(customPart('role', " and status = 'pending'")),
    status: text({ enum: INVITATION_STATUSES }).notNull().default('pending'),
    inviterId: uuid('inviter_id')
      .notNull()
      .references(() => users.id, { onDelete: 'cascade' }),
    tokenHash: text('token_hash').notNull().unique('invitations_token_hash_unique'),
    /** Counts the tokens made for this invitation: only the newest opens it. */
    tokenVersion: integer('token_version').notNull().default(1),
    expiresAt: moment('expires_at').notNull(),
    createdAt: createdAt(),
  },
  (t) => [
    uniqueIndex('invitations_one_open').on(t.organizationId, t.email).where(sql`${t.status} = 'pending'`),
    index('invitations_organization').on(t.organizationId, t.id),
    index('invitations_email').on(t.email).where(sql`${t.status} = 'pending'`),
    index('invitations_inviter').on(t.inviterId),
    ...ofOrganization(t.organizationId),
    check('invitations_email_lower_case', sql`${t.email} = lower(${t.email})`),
    check('invitations_role_grantable', sql`${t.role} <> 'owner'`),
  ],
);
