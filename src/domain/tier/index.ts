import type { Sql } from '../../db/client.ts';
import type { Tier } from '../../kernel/tiers.ts';

/** Whether `licenses l` is in force. An end takes effect by the clock, as nothing keeps a tier besides the license. */
const inForce = (sql: Sql, now: Date) => sql`l.active and (l.expires_at is null or l.expires_at > ${now})`;

/** The same of a license that was read. */
export const isInForce = (license: { active: boolean; expiresAt: Date | null }, now: Date): boolean =>
  license.active && (license.expiresAt === null || license.expiresAt > now);

/** The plan of `organizations o` by its license, for one statement with it; null without a license in force. */
export const planColumn = (sql: Sql, now: Date) => sql`(
  select l.plan from licenses l where l.organization_id = o.id and ${inForce(sql, now)})`;

/** The plans of all that `users u` owns; null where no license of them is in force. */
export const ownedPlansColumn = (sql: Sql, now: Date) => sql`(
  select jsonb_agg(l.plan) from organizations o join licenses l on l.organization_id = o.id
  where o.owner_id = u.id and ${inForce(sql, now)})`;

/** The license in force of an organization, by which it has its tier. */
export async function findLicenseInForce(
  sql: Sql,
  organizationId: string,
  now: Date,
): Promise<{ id: string; plan: Tier } | null> {
  const [license] = await sql<{ id: string; plan: Tier }[]>`
    select l.id, l.plan from licenses l where l.organization_id = ${organizationId} and ${inForce(sql, now)}`;
  return license ?? null;
}

/** The tier of an organization at this moment. */
export const tierOf = async (sql: Sql, organizationId: string, now: Date): Promise<Tier> =>
  (await findLicenseInForce(sql, organizationId, now))?.plan ?? 'free';
