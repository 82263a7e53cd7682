import type postgres from 'postgres';
import type { Sql, Transaction } from './client.ts';

/*
 * The second wall between tenants. Once it stands, PostgreSQL shows a transaction the rows of one owner alone (policies.ts)
 * and lets it do what changes of tenants need (migration wall_privileges), even where a statement forgot to say whose
 * rows it means. It is no wall against statements that somebody else has written: those could take it down.
 *
 * The role is one that PostgreSQL has anyway: nothing has to be created, in a cluster that other databases share, by a
 * user who may not. Role and owner are settings of the transaction, which end with it, whoever pools the connections.
 */

const standing = new WeakSet<Sql>();

/**
 * Raises the wall around an owner, an organization or a user, for the rest of the transaction. Sent together with the
 * statement that follows, it costs no round trip.
 */
export async function raiseWall(tx: Transaction, ownerId: string): Promise<void> {
  standing.add(tx);
  await tx`select set_config('role', 'pg_database_owner', true), set_config('tenantry.owner', ${ownerId}, true)`;
}

/** Takes it down before the transaction ends. */
export async function lowerWall(tx: Sql): Promise<void> {
  await tx`set local role to default`;
}

/**
 * Does what concerns more than the owner, be there a wall or not: whether a name is taken anywhere, or what a person has
 * in other organizations. No other statement of the transaction may be under way meanwhile.
 */
export async function beyondWall<T>(sql: Sql, run: () => Promise<T>): Promise<T> {
  if (!standing.has(sql)) return run();
  const [, result] = await Promise.all([lowerWall(sql), run()]);
  await sql`select set_config('role', 'pg_database_owner', true)`;
  return result;
}

/** The user of DATABASE_URL cannot raise the wall. */
export class WallError extends Error {}

/** Makes sure that this user of the database can raise the wall, and is not held by it otherwise. @throws WallError */
export async function requireWall(client: postgres.ISql): Promise<void> {
  const [found] = await client<{ user: string; database: string; fits: boolean }[]>`
    select current_user as user, current_database() as database,
      pg_has_role('pg_database_owner', 'member')
        and row_security_active(to_regclass('public.organizations')) is not true as fits`;
  if (found === undefined || found.fits) return;
  const { user, database } = found;
  throw new WallError(
    `${user} has to own the database ${database} and its tables, for the wall between tenants. As another user, run ALTER DATABASE "${database}" OWNER TO "${user}".`,
  );
}
