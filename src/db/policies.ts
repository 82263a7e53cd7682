import { type SQL, sql } from 'drizzle-orm';
import { type AnyPgColumn, pgPolicy, pgRole } from 'drizzle-orm/pg-core';

/*
 * Which rows the transaction of one owner reaches: see wall.ts. Every table with an organization_id has one of these, and
 * so has what hangs on such rows. Row-level security is not forced: the owner of the tables, as whom all else is done,
 * foreign keys and their cascades included, is not held by it.
 */

/** Every PostgreSQL has it. Its only member is whoever owns the database. */
const tenant = pgRole('pg_database_owner').existing();

/** The organization or the user whose transaction it is, worked out once a statement. Where it is not set, an error. */
const owner = sql`(select current_setting('tenantry.owner')::uuid)`;

const policy = (using: SQL, withCheck?: SQL) => [
  pgPolicy('of_owner', { to: tenant, using, ...(withCheck === undefined ? {} : { withCheck }) }),
];

/** Rows of an organization. */
export const ofOrganization = (organizationId: AnyPgColumn) => policy(sql`${organizationId} = ${owner}`);

/** Rows of an organization, or else of a user. */
export const ofOrganizationOrUser = (organizationId: AnyPgColumn, userId: AnyPgColumn) =>
  policy(sql`coalesce(${organizationId}, ${userId}) = ${owner}`);

/** Rows of an organization, and those of none, which all may have a part of. */
export const ofOrganizationOrAll = (organizationId: AnyPgColumn) =>
  policy(sql`coalesce(${organizationId}, ${owner}) = ${owner}`);

/** Rows of an organization, or else of a user, and those of nobody, which an owner makes his own. */
export const ofOwnerOrNobody = (organizationId: AnyPgColumn, userId: AnyPgColumn) =>
  policy(
    sql`coalesce(${organizationId}, ${userId}, ${owner}) = ${owner}`,
    sql`coalesce(${organizationId}, ${userId}) = ${owner}`,
  );

/** Rows that name a zone: of dns_zones, only the owner's are there to be named. */
export const ofZone = (columns: SQL, ofZones: SQL) =>
  policy(sql`(${columns}) in (select ${ofZones} from dns_zones z)`);
