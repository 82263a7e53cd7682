import type { Sql, Transaction } from '../../db/client.ts';
import type { licenses } from '../../db/schema/index.ts';
import { notFound } from '../../kernel/errors.ts';
import { deriveToken, hashSecret } from '../../kernel/secrets.ts';
import { isInForce } from '../tier/index.ts';

type Row = typeof licenses.$inferSelect;
export type LicenseRow = Omit<Row, 'keyHash'>;

/** A license as it is shown: without its key. `valid` is whether it is in force at this moment. */
export type License = LicenseRow & { valid: boolean };

/** The columns of a `LicenseRow`. */
export const shown = (sql: Sql) => sql`
  id, plan, expires_at, active, organization_id, created_at, updated_at`;

export const toLicense = (row: LicenseRow, now: Date): License => ({ ...row, valid: isInForce(row, now) });

/** What the audit log says of a license. */
export const summaryOf = ({ plan, expiresAt, active }: LicenseRow) => ({ plan, expiresAt, active });

/** Made from the server's secret, so that it can be shown again and lies nowhere. */
export const keyOf = (serverSecret: string, id: string): string =>
  `license_${deriveToken(serverSecret, 'license', id, 1)}`;

/** The key, or null for a license that was made under another secret of the server: its own is unknown here. */
export const shownKey = (serverSecret: string, { id, keyHash }: Pick<Row, 'id' | 'keyHash'>) => {
  const key = keyOf(serverSecret, id);
  return hashSecret(key) === keyHash ? key : null;
};

/** The license for the rest of the transaction. Where its organization is to be held too, that comes first. */
export async function holdLicense(tx: Transaction, id: string): Promise<LicenseRow> {
  const [row] = await tx<LicenseRow[]>`select ${shown(tx)} from licenses where id = ${id} for update`;
  if (row === undefined) throw notFound('License');
  return row;
}
