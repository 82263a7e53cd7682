import { sql } from 'drizzle-orm';
import {
  bigint,
  boolean,
  check,
  date,
  index,
  jsonb,
  pgTable,
  primaryKey,
  text,
  unique,
  uuid,
} from 'drizzle-orm/pg-core';
import type { PlatformRole } from '../../kernel/permissions.ts';
import { EMAIL_TOKEN_PURPOSES, type UserSettings } from '../../kernel/vocabulary.ts';
import { createdAt, id, moment, updatedAt } from '../columns.ts';

/* The columns of those of these tables that better-auth knows keep its names and formats: it writes sign-ins here. */

export const users = pgTable(
  'users',
  {
    id: id(),
    email: text().notNull().unique('users_email_unique'),
    emailVerified: boolean('email_verified').notNull().default(false),
    name: text().notNull(),
    firstName: text('first_name').notNull().default(''),
    lastName: text('last_name').notNull().default(''),
    displayName: text('display_name'),
    image: text(),
    /** Content hash of the uploaded picture; see domain/avatar. */
    avatarHash: text('avatar_hash'),
    /** A calendar day, YYYY-MM-DD. */
    dateOfBirth: date('date_of_birth', { mode: 'string' }),
    /** From then on the date of birth stays as it is. */
    identityVerifiedAt: moment('identity_verified_at'),
    billingLine1: text('billing_line1'),
    billingCity: text('billing_city'),
    billingState: text('billing_state'),
    billingZip: text('billing_zip'),
    /** ISO 3166-1 alpha-2. */
    billingCountry: text('billing_country'),
    settings: jsonb().$type<UserSettings>().notNull().default({}),
    /** Whether sign-in asks for a second factor; `two_factors` has it. */
    twoFactorEnabled: boolean('two_factor_enabled').notNull().default(false),
    /** While it is set no credential of the account is accepted. */
    suspendedAt: moment('suspended_at'),
    suspensionReason: text('suspension_reason'),
    role: text().$type<PlatformRole>().notNull().default('user'),
    createdAt: createdAt(),
    updatedAt: updatedAt(),
  },
  (t) => [
    check('users_email_lower_case', sql`${t.email} = lower(${t.email})`),
    check('users_billing_country_code', sql`${t.billingCountry} ~ '^[A-Z]{2}$'`),
    check('users_role_known', sql`${t.role} in ('user', 'staff', 'admin', 'rootAdmin')`),
  ],
);

export const sessions = pgTable(
  'sessions',
  {
    id: id(),
    token: text().notNull().unique('sessions_token_unique'),
    userId: uuid('user_id')
      .notNull()
      .references(() => users.id, { onDelete: 'cascade' }),
    /** No foreign key: a session whose organization is gone falls back to the default one when it is read. */
    activeOrganizationId: uuid('active_organization_id'),
    ipAddress: text('ip_address'),
    userAgent: text('user_agent'),
    /** Written at most once a minute. */
    lastSeenAt: moment('last_seen_at'),
    /** Whether use prolongs it; one that was not to be remembered ends a day after sign-in. */
    remembered: boolean().notNull().default(true),
    expiresAt: moment('expires_at').notNull(),
    createdAt: createdAt(),
    updatedAt: updatedAt(),
  },
  (t) => [index('sessions_user').on(t.userId), index('sessions_created').on(t.createdAt)],
);

/** From where an account has been signed in to: an address, or the /64 of an IPv6 one. */
export const knownClients = pgTable(
  'known_clients',
  {
    userId: uuid('user_id')
      .notNull()
      .references(() => users.id, { onDelete: 'cascade' }),
    client: text().notNull(),
    createdAt: createdAt(),
  },
  (t) => [primaryKey({ columns: [t.userId, t.client] })],
);

export const accounts = pgTable(
  'accounts',
  {
    id: id(),
    accountId: text('account_id').notNull(),
    providerId: text('provider_id').notNull(),
    userId: uuid('user_id')
      .notNull()
      .references(() => users.id, { onDelete: 'cascade' }),
    password: text(),
    accessToken: text('access_token'),
    refreshToken: text('refresh_token'),
    idToken: text('id_token'),
    accessTokenExpiresAt: moment('access_token_expires_at'),
    refreshTokenExpiresAt: moment('refresh_token_expires_at'),
    scope: text(),
    createdAt: createdAt(),
    updatedAt: updatedAt(),
  },
  (t) => [index('accounts_user').on(t.userId)],
);

export const verifications = pgTable(
  'verifications',
  {
    id: id(),
    identifier: text().notNull(),
    value: text().notNull(),
    expiresAt: moment('expires_at').notNull(),
    createdAt: createdAt(),
    updatedAt: updatedAt(),
  },
  (t) => [index('verifications_identifier').on(t.identifier)],
);

/** A mail's link that is still open. One a user and purpose: asking again closes the one before. */
export const emailTokens = pgTable(
  'email_tokens',
  {
    id: id(),
    userId: uuid('user_id')
      .notNull()
      .references(() => users.id, { onDelete: 'cascade' }),
    purpose: text({ enum: EMAIL_TOKEN_PURPOSES }).notNull(),
    /** The address that the mail goes to; the token proves this one and no other. */
    email: text().notNull(),
    tokenHash: text('token_hash').notNull().unique('email_tokens_token_hash_unique'),
    expiresAt: moment('expires_at').notNull(),
    createdAt: createdAt(),
  },
  (t) => [
    unique('email_tokens_one_open').on(t.userId, t.purpose),
    check('email_tokens_email_lower_case', sql`${t.email} = lower(${t.email})`),
  ],
);

/** An authenticator app. `confirmedAt` is null until its first code has been given. */
export const twoFactors = pgTable('two_factors', {
  userId: uuid('user_id')
    .primaryKey()
    .references(() => users.id, { onDelete: 'cascade' }),
  /** The shared secret, encrypted (kernel/encryption.ts). */
  secret: text().notNull(),
  /** The time step of the newest code that was accepted (RFC 6238); no code of it or before it is accepted again. */
  lastStep: bigint('last_step', { mode: 'number' }),
  confirmedAt: moment('confirmed_at'),
  createdAt: createdAt(),
});

/** Recovery codes that have not been used. */
export const recoveryCodes = pgTable(
  'recovery_codes',
  {
    id: id(),
    userId: uuid('user_id')
      .notNull()
      .references(() => users.id, { onDelete: 'cascade' }),
    codeHash: text('code_hash').notNull(),
    createdAt: createdAt(),
  },
  (t) => [unique('recovery_codes_unique').on(t.userId, t.codeHash)],
);
