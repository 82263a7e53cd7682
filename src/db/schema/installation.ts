import { sql } from 'drizzle-orm';
import { boolean, check, pgTable, text } from 'drizzle-orm/pg-core';

/** One row at most, from the first start on. */
export const installation = pgTable(
  'installation',
  {
    id: boolean().primaryKey().default(true),
    /** Tells the server's secret from another one (src/secret.ts), and not what it is. */
    secretHash: text('secret_hash').notNull(),
  },
  (t) => [check('installation_one_row', sql`${t.id}`)],
);
