import { NIL } from 'uuid';
import type { Sql, Transaction } from '../../db/client.ts';
import { notFound, preconditionFailed } from '../../kernel/errors.ts';
import { HEARTBEAT_MS, NO_SIZE, type ServerSize } from '../../kernel/placement.ts';
import { allowanceOf, type Tier } from '../../kernel/tiers.ts';

/*
 * Where servers may be, in this one place:
 *
 * | node                             | takes new servers of                                           |
 * |----------------------------------|----------------------------------------------------------------|
 * | dedicated to an organization     | that organization, while its tier has dedicated nodes          |
 * | shared                           | every organization whose tier has the node's pool (TIERS)      |
 * | draining, or silent for too long | nobody, nor do its servers grow                                |
 *
 * Of those with room the organization's own come first, and then the one with most free memory.
 */

/** For whom something is placed, and when. */
export type Tenant = { organizationId: string; tier: Tier; now: Date };

/** Whether `nodes` is for the organization at all: what it may know of. */
function isFor(sql: Sql, { organizationId, tier }: Tenant) {
  const { dedicatedNodes, pools } = allowanceOf(tier);
  return sql`(
    (organization_id = ${organizationId} and ${dedicatedNodes})
    or (organization_id is null and pool = any(${[...pools]})))`;
}

const heardSince = ({ now }: Tenant): Date => new Date(now.getTime() - HEARTBEAT_MS);

const isOpen = (sql: Sql, tenant: Tenant) =>
  sql`(not draining and last_heartbeat_at > ${heardSince(tenant)})`;

/** What is wanted: `nodeId` where it must be this node, `instead` what is given back there for it. */
export type Wanted = { size: ServerSize; nodeId: string | null; instead?: ServerSize };

/**
 * Where any node will do, one server is placed after another: a node that was waited for stays locked even where it has no
 * room any more, so that two servers going from node to node could wait for each other.
 */
const waitForTurn = (tx: Transaction) =>
  tx`select pg_advisory_xact_lock(hashtextextended('placement of servers', 0))`;

/**
 * Takes room for a server and says on which node. One statement: whoever waited for a node sees what is left of it, and
 * goes on to the next one when that is too little.
 *
 * @throws NOT_FOUND for a node that is not for this organization, unless it has something there; PRECONDITION_FAILED when
 *   there is no room.
 */
export async function takeRoom(tx: Transaction, tenant: Tenant, wanted: Wanted): Promise<string> {
  const { size, nodeId, instead = NO_SIZE } = wanted;
  const [, [node]] = await Promise.all([
    nodeId === null ? waitForTurn(tx) : null, // sent before the statement
    tx<{ id: string }[]>`
      update nodes set
        used_memory_mb = used_memory_mb - ${instead.memoryMb} + ${size.memoryMb},
        used_disk_mb = used_disk_mb - ${instead.diskMb} + ${size.diskMb},
        used_cpu_percent = used_cpu_percent - ${instead.cpuPercent} + ${size.cpuPercent}
      where id = (
        select id from nodes
        where (${nodeId}::uuid is null or id = ${nodeId}) and ${isFor(tx, tenant)} and ${isOpen(tx, tenant)}
          and used_memory_mb - ${instead.memoryMb} + ${size.memoryMb} <= memory_mb
          and used_disk_mb - ${instead.diskMb} + ${size.diskMb} <= disk_mb
          and used_cpu_percent - ${instead.cpuPercent} + ${size.cpuPercent} <= cpu_percent
        order by organization_id is null, memory_mb - used_memory_mb desc, id
        limit 1
        for no key update)
      returning id`,
  ]);
  if (node === undefined) throw await whyNot(tx, tenant, wanted);
  return node.id;
}

/** Gives back what a server no longer takes. */
export async function giveRoomBack(tx: Transaction, nodeId: string, size: ServerSize): Promise<void> {
  await tx`
    update nodes set used_memory_mb = used_memory_mb - ${size.memoryMb}, used_disk_mb = used_disk_mb - ${size.diskMb},
      used_cpu_percent = used_cpu_percent - ${size.cpuPercent}
    where id = ${nodeId}`;
}

async function whyNot(tx: Transaction, tenant: Tenant, { nodeId, instead }: Wanted): Promise<Error> {
  if (nodeId === null) {
    return preconditionFailed('no_capacity', 'No node that is open to this organization has room for it.');
  }
  const [node] = await tx<{ draining: boolean; open: boolean }[]>`
    select draining, ${isOpen(tx, tenant)} is true as open from nodes where id = ${nodeId} and ${isFor(tx, tenant)}`;
  if (node === undefined) {
    return instead === undefined
      ? notFound('Node')
      : preconditionFailed('node_not_open', 'Its node is not open to this organization any more.');
  }
  if (node.draining) return preconditionFailed('node_draining', 'This node takes nothing new.');
  if (!node.open) return preconditionFailed('node_offline', 'This node was not heard of lately.');
  return preconditionFailed('no_capacity', 'This node has no room for it.');
}

/** A node as a member sees it who looks for a place. */
export type AvailableNode = {
  id: string;
  name: string;
  address: string | null;
  dedicated: boolean;
  freeMemoryMb: number;
  freeDiskMb: number;
  freeCpuPercent: number;
};

/** The nodes on which a server could be placed now if it is small enough, by id. */
export const availableNodes = (
  sql: Sql,
  tenant: Tenant,
  page: { limit: number; cursor: string | null },
): Promise<AvailableNode[]> => sql<AvailableNode[]>`
  select id, name, address, organization_id is not null as dedicated, memory_mb - used_memory_mb as free_memory_mb,
    disk_mb - used_disk_mb as free_disk_mb, cpu_percent - used_cpu_percent as free_cpu_percent
  from nodes
  where ${isFor(sql, tenant)} and ${isOpen(sql, tenant)} and id > ${page.cursor ?? NIL}
  order by id
  limit ${page.limit}`;
