import postgres from 'postgres';

/** There is no PostgreSQL where one should be, or it lets nobody in. The message tells an operator what to look at. */
export class UnreachableError extends Error {}

/** A client of one connection without time limits, which is there already. @throws UnreachableError */
export async function connect(url: string): Promise<postgres.Sql> {
  const client = postgres(url, { max: 1, connect_timeout: 10, onnotice: () => {} });
  try {
    await client`select 1`;
    return client;
  } catch (error) {
    await client.end({ timeout: 5 });
    const reason = error instanceof Error ? error.message || String('code' in error && error.code) : error;
    throw new UnreachableError(
      `The database cannot be used: ${reason}. Check that PostgreSQL runs, and what DATABASE_URL says: host, port, user, password and name.`,
      { cause: error },
    );
  }
}
