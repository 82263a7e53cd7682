import { sql } from 'drizzle-orm';
import { index, integer, jsonb, pgTable, text } from 'drizzle-orm/pg-core';
import { createdAt, id, moment } from '../columns.ts';

/** Work that follows from a committed change. A finished job is deleted; `failedAt` marks one that was given up. */
export const jobs = pgTable(
  'jobs',
  {
    id: id(),
    name: text().notNull(),
    payload: jsonb().$type<Record<string, unknown>>().notNull(),
    runAt: moment('run_at').notNull(),
    attempts: integer().notNull().default(0),
    lockedUntil: moment('locked_until'),
    lastError: text('last_error'),
    failedAt: moment('failed_at'),
    createdAt: createdAt(),
  },
  (t) => [index('jobs_due').on(t.name, t.runAt).where(sql`${t.failedAt} is null`)],
);
