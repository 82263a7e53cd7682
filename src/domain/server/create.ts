import { newId } from '../../kernel/ids.ts';
import type { ServerSize } from '../../kernel/placement.ts';
import { record } from '../audit/index.ts';
import type { Deps } from '../deps.ts';
import { takeRoom } from '../node/index.ts';
import { inOrganization } from '../organization/index.ts';
import type { OrganizationActor } from '../principal.ts';
import { tierOf } from '../tier/index.ts';
import { requireQuota } from './quota.ts';
import { type Server, sizeOf, summaryOf } from './row.ts';

/** `nodeId` where it must be that node. */
export type NewServer = ServerSize & { name: string; nodeId: string | null };

/**
 * Places a server; its node makes it after the next heartbeat.
 *
 * @throws NOT_FOUND for a node that is not for this organization; PRECONDITION_FAILED at the quota of the tier, where
 *   there is no room, and in an inactive organization.
 */
export function createServer(deps: Deps, actor: OrganizationActor, input: NewServer): Promise<Server> {
  return inOrganization(deps, actor, async (tx, { id: organizationId }, { principal, role }) => {
    const now = deps.now();
    const tier = await tierOf(tx, organizationId, now);
    await requireQuota(tx, organizationId, tier);
    const nodeId = await takeRoom(
      tx,
      { organizationId, tier, now },
      { size: sizeOf(input), nodeId: input.nodeId },
    );
    const row: Server = {
      ...input,
      id: newId(),
      organizationId,
      nodeId,
      desiredState: 'running',
      state: 'creating',
      reportedAt: null,
      createdAt: now,
      updatedAt: now,
    };
    await tx`insert into servers ${tx(row)}`;
    await record(tx, principal, now, {
      organizationId,
      role,
      action: 'create',
      resourceType: 'server',
      resourceId: row.id,
      resourceName: row.name,
      after: summaryOf(row),
    });
    return row;
  });
}
