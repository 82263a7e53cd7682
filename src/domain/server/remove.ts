import { record } from '../audit/index.ts';
import type { Deps } from '../deps.ts';
import { giveRoomBack } from '../node/index.ts';
import { inOrganization } from '../organization/index.ts';
import type { OrganizationActor } from '../principal.ts';
import { holdServer, type Server, summaryOf } from './row.ts';

/**
 * Its room is free at once; its node takes it away after the next heartbeat.
 *
 * @returns what was removed
 * @throws NOT_FOUND; PRECONDITION_FAILED in an inactive organization.
 */
export function removeServer(deps: Deps, actor: OrganizationActor, id: string): Promise<Server> {
  return inOrganization(deps, actor, async (tx, { id: organizationId }, { principal, role }) => {
    const server = await holdServer(tx, organizationId, id);
    await tx`delete from servers where id = ${id}`;
    await giveRoomBack(tx, server.nodeId, server);
    await record(tx, principal, deps.now(), {
      organizationId,
      role,
      action: 'delete',
      resourceType: 'server',
      resourceId: id,
      resourceName: server.name,
      before: summaryOf(server),
    });
    return server;
  });
}
