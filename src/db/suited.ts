import type postgres from 'postgres';

/** The database is one that the service would not work in. The message tells an operator what to run. */
export class UnsuitedDatabaseError extends Error {}

/** Text of every script can be kept. @throws UnsuitedDatabaseError */
export async function requireUtf8(client: postgres.ISql): Promise<void> {
  const [found] = await client<{ database: string; encoding: string }[]>`
    select current_database() as database, current_setting('server_encoding') as encoding`;
  if (found === undefined || found.encoding === 'UTF8') return;
  const { database, encoding } = found;
  throw new UnsuitedDatabaseError(
    `The database ${database} has the encoding ${encoding}, in which not every name can be written. Make one by CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0; \`tenantry backup\` and \`tenantry restore\` take along what is there.`,
  );
}

/** A table that is named without a schema is the one in `public`. @throws UnsuitedDatabaseError */
export async function requirePublic(client: postgres.ISql): Promise<void> {
  const [found] = await client<{ user: string; database: string; schema: string | null }[]>`
    select current_user as user, current_database() as database, current_schema() as schema`;
  if (found === undefined || found.schema === 'public') return;
  const { user, database, schema } = found;
  const first = schema === null ? 'no schema that is there' : `the schema ${schema}`;
  throw new UnsuitedDatabaseError(
    `The search_path of ${user} begins with ${first}, and the tables are in public. Run ALTER ROLE "${user}" IN DATABASE "${database}" SET search_path = public.`,
  );
}
