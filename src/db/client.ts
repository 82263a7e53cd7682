import postgres from 'postgres';
import { DomainError, unavailable } from '../kernel/errors.ts';
import { createSemaphore } from '../kernel/semaphore.ts';
import { READ_COMMITTED, SESSION } from './connect.ts';
import { translateError } from './errors.ts';
import { lowerWall } from './wall.ts';

/** Runs tagged statements, in a transaction or outside one. Result columns arrive in camelCase. */
export type Sql = postgres.ISql<{ bigint: number; day: string }>;

/** What one change is made of: every statement sees the same transaction. */
export type Transaction = Sql & { readonly transaction: unique symbol };

/**
 * The only way to the database. Each call holds one connection of the pool, so `fn` must not call `query` or
 * `transaction` again. Waiting for a connection is bounded by `maxWaitMs`; past it the call fails with 503.
 */
export type Database = {
  /** Statements that need no transaction, one after another. */
  query<T>(fn: (sql: Sql) => Promise<T>): Promise<T>;
  /** All or nothing; read committed. A deadlock or a serialization failure is tried once more, an outdated plan often. */
  transaction<T>(fn: (tx: Transaction) => Promise<T>): Promise<T>;
};

export type DatabaseOptions = {
  url: string;
  poolSize: number;
  maxWaitMs?: number;
};

/** In milliseconds: no statement, lock or forgotten transaction may hold others up for longer. */
const TIMEOUTS = {
  statement_timeout: 5_000,
  lock_timeout: 2_000,
  idle_in_transaction_session_timeout: 5_000,
};

/**
 * For the rest of a transaction that deletes or renames as much as there is: what has grown past the limit of a statement
 * could never be deleted. Whoever needs its rows meanwhile is told so after the time for a lock.
 */
export const allowTime = (tx: Transaction): Promise<unknown> => tx`set local statement_timeout = '30s'`;

/**
 * How long a connection that was lost or refused rests before it is made anew, in seconds. Whoever needs it waits that long:
 * what the driver does by itself, up to 20 s, would keep requests from their 503.
 */
const backoff = (refused: number): number => Math.min(3 ** refused / 100, 0.25);

/** A postgres.js client with our column names, numbers and time limits. */
export function createClient(url: string, max: number): postgres.Sql<{ bigint: number; day: string }> {
  return postgres(url, {
    max,
    connect_timeout: 2,
    backoff,
    connection: { application_name: 'tenantry', ...SESSION, ...TIMEOUTS },
    transform: { column: { from: postgres.toCamel, to: postgres.fromCamel } },
    types: {
      // count(*) and our bigint columns stay far below 2^53.
      bigint: { to: 20, from: [20], parse: Number, serialize: String },
      // A calendar day has no time zone: it stays YYYY-MM-DD.
      day: { to: 1082, from: [1082], parse: (text: string) => text, serialize: String },
    },
    onnotice: () => {},
  });
}

/**
 * How often a transaction is tried again, by the reason of its failure. Each connection has plans of its own, and forgets an
 * outdated one when that fails.
 */
const RETRIES: Record<string, number> = { deadlock: 1, serialization_failure: 1, plan_outdated: 20 };

async function translated<T>(task: () => Promise<T>): Promise<T> {
  try {
    return await task();
  } catch (error) {
    throw translateError(error);
  }
}

async function againIfNeeded<T>(task: () => Promise<T>): Promise<T> {
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await task();
    } catch (error) {
      if (!(error instanceof DomainError) || attempt >= (RETRIES[error.reason] ?? 0)) throw error;
    }
  }
}

/**
 * The database as it is seen inside an open transaction: what is done here is committed with it, or not at all. A
 * transaction becomes a savepoint. A query that fails fails the whole.
 */
export function databaseWithin(tx: Transaction): Database {
  const { savepoint } = tx as unknown as postgres.TransactionSql;
  const nested = <T>(fn: (tx: Transaction) => Promise<T>): Promise<T> =>
    translated(async () => {
      const result = (await savepoint((inner) => fn(inner as unknown as Transaction))) as T;
      await lowerWall(tx); // of settings, a savepoint ends only those that led to an error
      return result;
    });
  return {
    query: (fn) => translated(() => fn(tx)),
    transaction: (fn) => againIfNeeded(() => nested(fn)),
  };
}

export function createDatabase(options: DatabaseOptions) {
  const client = createClient(options.url, options.poolSize);
  const withConnection = createSemaphore({
    permits: options.poolSize,
    maxWaitMs: options.maxWaitMs ?? 2_000,
    refuse: () => unavailable('database_busy', 'The database is busy. Try again.'),
  });

  const attempt = <T>(task: () => Promise<T>): Promise<T> => translated(() => withConnection(task));

  const begin = <T>(fn: (tx: Transaction) => Promise<T>): Promise<T> =>
    attempt(() => client.begin(READ_COMMITTED, (tx) => fn(tx as unknown as Transaction)) as Promise<T>);

  const database: Database = {
    query: (fn) => attempt(() => fn(client)),
    transaction: (fn) => againIfNeeded(() => begin(fn)),
  };
  return { database, client, close: () => client.end({ timeout: 5 }) };
}
