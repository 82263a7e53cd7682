import type { Transaction } from '../../db/client.ts';
import { difference, isLarger, type ServerSize } from '../../kernel/placement.ts';
import { type IfMatch, requireVersion } from '../../kernel/versions.ts';
import { record } from '../audit/index.ts';
import type { Deps } from '../deps.ts';
import { giveRoomBack, takeRoom } from '../node/index.ts';
import { inOrganization } from '../organization/index.ts';
import type { OrganizationActor } from '../principal.ts';
import { tierOf } from '../tier/index.ts';
import { requireQuota } from './quota.ts';
import { holdServer, type Server, sizeOf, summaryOf } from './row.ts';

/** By which an ETag tells one state from another. */
export const SERVER_FIELDS = ['name', 'memoryMb', 'diskMb', 'cpuPercent'];

/** Omitted keeps. */
export type ServerChanges = { [K in keyof ServerSize | 'name']?: Server[K] | undefined };

/** What grows is asked for as if it were created there; what only shrinks gives room back. */
async function resize(tx: Transaction, deps: Deps, server: Server, size: ServerSize): Promise<void> {
  const { organizationId, nodeId } = server;
  if (!isLarger(size, server)) return giveRoomBack(tx, nodeId, difference(server, size));
  const now = deps.now();
  const tier = await tierOf(tx, organizationId, now);
  await requireQuota(tx, organizationId, tier, 1);
  await takeRoom(tx, { organizationId, tier, now }, { size, nodeId, instead: sizeOf(server) });
}

/**
 * @throws NOT_FOUND; PRECONDITION_FAILED for more than the tier or the node has, in an inactive organization, and when
 *   it has changed (`ifMatch`).
 */
export function updateServer(
  deps: Deps,
  actor: OrganizationActor,
  id: string,
  changes: ServerChanges,
  ifMatch?: IfMatch,
): Promise<Server> {
  return inOrganization(deps, actor, async (tx, { id: organizationId }, { principal, role }) => {
    const server = await holdServer(tx, organizationId, id);
    requireVersion(ifMatch, SERVER_FIELDS, server);
    const updated: Server = {
      ...server,
      name: changes.name ?? server.name,
      memoryMb: changes.memoryMb ?? server.memoryMb,
      diskMb: changes.diskMb ?? server.diskMb,
      cpuPercent: changes.cpuPercent ?? server.cpuPercent,
      updatedAt: deps.now(),
    };
    await resize(tx, deps, server, sizeOf(updated));
    await tx`update servers set ${tx(updated)} where id = ${id}`;
    await record(tx, principal, updated.updatedAt, {
      organizationId,
      role,
      action: 'update',
      resourceType: 'server',
      resourceId: id,
      resourceName: updated.name,
      before: summaryOf(server),
      after: summaryOf(updated),
    });
    return updated;
  });
}

/**
 * Says what a server is to do; its node learns of it by the next heartbeat.
 *
 * @throws NOT_FOUND; PRECONDITION_FAILED in an inactive organization.
 */
export function setServerState(
  deps: Deps,
  actor: OrganizationActor,
  id: string,
  desiredState: Server['desiredState'],
): Promise<Server> {
  return inOrganization(deps, actor, async (tx, { id: organizationId }, { principal, role }) => {
    const server = await holdServer(tx, organizationId, id);
    const changes = { desiredState, updatedAt: deps.now() };
    await tx`update servers set ${tx(changes)} where id = ${id}`;
    await record(tx, principal, changes.updatedAt, {
      organizationId,
      role,
      action: 'setState',
      resourceType: 'server',
      resourceId: id,
      resourceName: server.name,
      before: { desiredState: server.desiredState },
      after: { desiredState },
    });
    return { ...server, ...changes };
  });
}
