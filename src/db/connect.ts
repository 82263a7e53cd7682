import postgres from 'postgres';
import { reasonOf } from '../kernel/reason.ts';

/** There is no PostgreSQL where one should be, or it lets nobody in. The message tells an operator what to look at. */
export class UnreachableError extends Error {}

/**
 * What every connection asks for, whatever the server, its role or the database has set: moments and days are read, and
 * backed up, in the one style that says which number is the month. Poolers let it through.
 */
export const SESSION = { DateStyle: 'ISO' };

/** Said with a transaction: where another level is the default, changes that have waited for one another fail. */
export const READ_COMMITTED = 'isolation level read committed';

/** A client of one connection, which has been made and has no time limits of ours. @throws UnreachableError */
export async function connect(url: string): Promise<postgres.Sql> {
  const client = postgres(url, { max: 1, connect_timeout: 10, connection: SESSION, onnotice: () => {} });
  try {
    await client`select 1`;
    return client;
  } catch (error) {
    await client.end({ timeout: 5 });
    throw new UnreachableError(
      `The database cannot be used: ${reasonOf(error)}. Check that PostgreSQL runs, and what DATABASE_URL says: host, port, user, password and name.`,
      { cause: error },
    );
  }
}
