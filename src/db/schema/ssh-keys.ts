import { sql } from 'drizzle-orm';
import { check, index, integer, pgTable, text, unique, uuid } from 'drizzle-orm/pg-core';
import { createdAt, id, moment } from '../columns.ts';
import { ofOrganizationOrUser } from '../policies.ts';
import { users } from './accounts.ts';
import { organizations } from './organizations.ts';

/** Owned by a user or by an organization. */
export const sshKeys = pgTable(
  'ssh_keys',
  {
    id: id(),
    userId: uuid('user_id').references(() => users.id, { onDelete: 'cascade' }),
    organizationId: uuid('organization_id').references(() => organizations.id, { onDelete: 'cascade' }),
    name: text().notNull(),
    description: text(),
    /** Type and base64, as in authorized_keys, without a comment. */
    publicKey: text('public_key').notNull(),
    /** Such as ssh-ed25519. */
    type: text().notNull(),
    /** Size of an RSA modulus or of a curve. */
    bits: integer().notNull(),
    /** SHA256:… as ssh-keygen -l shows it. */
    fingerprint: text().notNull(),
    /** Encrypted (kernel/encryption.ts); null where only the public part is known. */
    privateKey: text('private_key'),
    lastUsedAt: moment('last_used_at'),
    createdAt: createdAt(),
  },
  (t) => [
    unique('ssh_keys_user_fingerprint_unique').on(t.userId, t.fingerprint),
    unique('ssh_keys_organization_fingerprint_unique').on(t.organizationId, t.fingerprint),
    index('ssh_keys_user').on(t.userId, t.id),
    index('ssh_keys_organization').on(t.organizationId, t.id),
    ...ofOrganizationOrUser(t.organizationId, t.userId),
    check('ssh_keys_one_owner', sql`num_nonnulls(${t.userId}, ${t.organizationId}) = 1`),
  ],
);
