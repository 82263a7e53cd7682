import type { Sql } from '../../db/client.ts';
import { beyondWall } from '../../db/wall.ts';
import { notFound } from '../../kernel/errors.ts';
import type { Deps } from '../deps.ts';
import type { OrganizationActor } from '../principal.ts';

/** Why an organization cannot be deleted now; `reason` is that of the refusal. */
export type Obstacle = { reason: string; message: string };

type Running = { servers: number; deployments: number; dedicatedNodes: number };

/** What `organizations o` runs, for one statement with it. */
export const runningColumns = (sql: Sql) => sql`
  (select count(*) from servers where organization_id = o.id) as servers,
  (select count(*) from deployments where organization_id = o.id and status <> 'destroyed') as deployments,
  (select count(*) from nodes where organization_id = o.id) as dedicated_nodes`;

/** In words, such as `2 servers and 1 deployment`; empty for nothing. */
export function describeRunning({ servers, deployments, dedicatedNodes }: Running): string {
  const count = (n: number, noun: string) => (n === 0 ? [] : [`${n} ${noun}${n === 1 ? '' : 's'}`]);
  const parts = [
    ...count(servers, 'server'),
    ...count(deployments, 'deployment'),
    ...count(dedicatedNodes, 'dedicated node'),
  ];
  return new Intl.ListFormat('en-GB').format(parts);
}

/** What stands in the way of deleting one of the organizations that a user owns. */
export async function obstacles(sql: Sql, userId: string, id: string): Promise<Obstacle[]> {
  const [row] = await beyondWall(
    sql,
    () => sql<(Running & { owned: number })[]>`
      select (select count(*) from organizations where owner_id = ${userId}) as owned, ${runningColumns(sql)}
      from organizations o where o.id = ${id}`,
  );
  if (row === undefined) return [];
  const running = describeRunning(row);
  const last = {
    reason: 'last_organization',
    message: 'This is the last organization you own. Create another one before you delete it.',
  };
  const inUse = {
    reason: 'organization_in_use',
    message: `This organization still has ${running}. Remove or give them back before you delete it.`,
  };
  return [...(row.owned > 1 ? [] : [last]), ...(running === '' ? [] : [inUse])];
}

/** What would go with an organization. `invitations` counts those that are still to be answered. */
export type Deletion = {
  members: number;
  invitations: number;
  apiKeys: number;
  sshKeys: number;
  tunnelDevices: number;
  tunnelAllocations: number;
  dnsZones: number;
  dnsRecords: number;
  avatar: boolean;
};

/** What `deleteOrganization` would do at this moment, without doing it. @throws NOT_FOUND when it is just gone. */
export async function previewDeletion(
  deps: Deps,
  { organizationId: id, principal }: OrganizationActor,
): Promise<{ deletes: Deletion; obstacles: Obstacle[] }> {
  return deps.db.query(async (sql) => {
    const [deletes] = await sql<Deletion[]>`
      select
        (select count(*) from memberships where organization_id = o.id) as members,
        (select count(*) from invitations where organization_id = o.id and status = 'pending'
          and expires_at > ${deps.now()}) as invitations,
        (select count(*) from memberships m join api_keys k
          on k.user_id = m.user_id and k.organization_id = m.organization_id
          where m.organization_id = o.id) as api_keys,
        (select count(*) from ssh_keys where organization_id = o.id) as ssh_keys,
        (select count(*) from tunnel_devices where organization_id = o.id) as tunnel_devices,
        (select count(*) from tunnel_allocations where organization_id = o.id) as tunnel_allocations,
        (select count(*) from dns_zones where organization_id = o.id) as dns_zones,
        (select count(*) from dns_zones z join dns_records r on r.zone_id = z.id
          where z.organization_id = o.id) as dns_records,
        o.avatar_hash is not null as avatar
      from organizations o where o.id = ${id}`;
    if (deletes === undefined) throw notFound('Organization');
    return { deletes, obstacles: await obstacles(sql, principal.userId, id) };
  });
}
