import { sql } from 'drizzle-orm';
import { boolean, check, jsonb, pgTable } from 'drizzle-orm/pg-core';
import type { InstallationSettings } from '../../kernel/installation.ts';
import { updatedAt } from '../columns.ts';

/** One row at most: what has been set; the rest follows the defaults. */
export const settings = pgTable(
  'settings',
  {
    id: boolean().primaryKey().default(true),
    value: jsonb().$type<Partial<InstallationSettings>>().notNull(),
    updatedAt: updatedAt(),
  },
  (t) => [check('settings_one_row', sql`${t.id}`)],
);
