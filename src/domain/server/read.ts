import { NIL } from 'uuid';
import { notFound } from '../../kernel/errors.ts';
import { TIERS, type Tier } from '../../kernel/tiers.ts';
import type { Deps } from '../deps.ts';
import type { OrganizationActor } from '../principal.ts';
import { planColumn } from '../tier/index.ts';
import type { Server } from './row.ts';

/** Those of an organization, oldest first. */
export const listServers = (
  deps: Deps,
  actor: OrganizationActor,
  page: { state: Server['state'] | null; limit: number; cursor: string | null },
): Promise<Server[]> =>
  deps.db.query(
    (sql) => sql<Server[]>`
      select * from servers
      where organization_id = ${actor.organizationId}
        and (${page.state}::text is null or state = ${page.state})
        and id > ${page.cursor ?? NIL}
      order by id
      limit ${page.limit}`,
  );

/** @throws NOT_FOUND when it has just been removed. */
export async function oneServer(deps: Deps, actor: OrganizationActor, id: string): Promise<Server> {
  const [row] = await deps.db.query(
    (sql) => sql<Server[]>`
      select * from servers where id = ${id} and organization_id = ${actor.organizationId}`,
  );
  if (row === undefined) throw notFound('Server');
  return row;
}

/** How many servers an organization has, and how many its tier has. `maxServers: null` is no limit. */
export async function serverCount(
  deps: Deps,
  { organizationId }: OrganizationActor,
): Promise<{ count: number; maxServers: number | null; portalTier: Tier }> {
  const [row] = await deps.db.query(
    (sql) => sql<{ count: number; plan: Tier | null }[]>`
      select (select count(*) from servers where organization_id = o.id), ${planColumn(sql, deps.now())}
      from organizations o where o.id = ${organizationId}`,
  );
  if (row === undefined) throw notFound('Organization');
  const portalTier = row.plan ?? 'free';
  return { count: row.count, maxServers: TIERS[portalTier].maxServers, portalTier };
}
