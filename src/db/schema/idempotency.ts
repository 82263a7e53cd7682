import { index, integer, pgTable, text } from 'drizzle-orm/pg-core';
import { createdAt } from '../columns.ts';

/** Answers to requests that came with an Idempotency-Key; see domain/idempotency.ts. */
export const idempotencyAnswers = pgTable(
  'idempotency_answers',
  {
    /** Keyed hash of caller, procedure and key. */
    keyHash: text('key_hash').primaryKey(),
    /** Keyed hash of what was asked. */
    requestHash: text('request_hash').notNull(),
    status: integer().notNull(),
    /** Encrypted (kernel/encryption.ts) so that it takes the caller's key to read it. */
    body: text().notNull(),
    createdAt: createdAt(),
  },
  (t) => [index('idempotency_answers_created').on(t.createdAt)],
);
