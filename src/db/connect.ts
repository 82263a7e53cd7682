import postgres from 'postgres';
import { reasonOf } from '../kernel/reason.ts';

/** There is no PostgreSQL where one should be, or it lets nobody in. The message tells an operator what to look at. */
export class UnreachableError extends Error {}

/** A client of one connection, which has been made and has no time limits of ours. @throws UnreachableError */
export async function connect(url: string): Promise<postgres.Sql> {
  const client = postgres(url, { max: 1, connect_timeout: 10, onnotice: () => {} });
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
