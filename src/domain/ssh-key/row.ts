import type { Sql } from '../../db/client.ts';
import type { sshKeys } from '../../db/schema/index.ts';

export type SshKeyRow = Omit<typeof sshKeys.$inferSelect, 'privateKey'> & { hasPrivateKey: boolean };

/** A key as it is shown: everything but the private part. */
export type SshKey = SshKeyRow & { sshKeyId: string };

/** The columns of a `SshKeyRow`. */
export const shown = (sql: Sql) => sql`
  id, user_id, organization_id, name, description, public_key, type, bits, fingerprint,
  private_key is not null as has_private_key, last_used_at, created_at`;

export const toSshKey = (row: SshKeyRow): SshKey => ({ ...row, sshKeyId: row.id });
