import type { Sql, Transaction } from '../../db/client.ts';
import { preconditionFailed } from '../../kernel/errors.ts';
import { TIERS, type Tier } from '../../kernel/tiers.ts';

async function countServers(sql: Sql, organizationId: string): Promise<number> {
  const [row] = await sql<{ n: number }[]>`
    select count(*) as n from servers where organization_id = ${organizationId}`;
  return row?.n ?? 0;
}

/**
 * The organization is held: nobody else counts meanwhile. `existing` is 1 for a server that is counted already.
 *
 * @throws PRECONDITION_FAILED when its tier has no server left.
 */
export async function requireQuota(
  tx: Transaction,
  organizationId: string,
  tier: Tier,
  existing: 0 | 1 = 0,
): Promise<void> {
  const { name, maxServers } = TIERS[tier];
  if (maxServers === null) return;
  const servers = await countServers(tx, organizationId);
  if (servers - existing < maxServers) return;
  throw preconditionFailed(
    'server_quota_reached',
    `${name} has ${maxServers} servers, and the organization has ${servers}. Remove one, or get a license for more.`,
  );
}
