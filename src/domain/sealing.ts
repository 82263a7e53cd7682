import type { Database, Transaction } from '../db/client.ts';

const secrets = new WeakMap<Transaction, string>();

/** The same database, whose transactions can write the audit trail: its rows are sealed with the server's secret. */
export const withSealing = (database: Database, secret: string): Database => ({
  ...database,
  transaction: (fn) =>
    database.transaction((tx) => {
      secrets.set(tx, secret);
      return fn(tx);
    }),
});

/** @throws Error for a transaction of a database that `withSealing` did not make. */
export function secretOf(tx: Transaction): string {
  const secret = secrets.get(tx);
  if (secret === undefined)
    throw new Error('This database was opened without the secret of the audit trail.');
  return secret;
}
