import { conflict } from '../../kernel/errors.ts';
import { newId } from '../../kernel/ids.ts';
import { record } from '../audit/index.ts';
import type { Deps } from '../deps.ts';
import type { Principal } from '../principal.ts';
import { type Node, type NodeRow, summaryOf, toNode } from './row.ts';
import { newNodeToken } from './token.ts';

export type NewNode = Pick<
  NodeRow,
  'name' | 'address' | 'pool' | 'memoryMb' | 'diskMb' | 'cpuPercent' | 'draining'
>;

export const nameTaken = () => conflict('node_name_taken', 'Another node has this name.', 'name');

/**
 * The answer is the only place where the node's token appears.
 *
 * @throws CONFLICT for a name that is taken.
 */
export function createNode(
  deps: Deps,
  principal: Principal,
  input: NewNode,
): Promise<Node & { token: string }> {
  return deps.db.transaction(async (tx) => {
    const now = deps.now();
    const { token, tokenHash } = newNodeToken();
    const row: NodeRow = {
      ...input,
      id: newId(),
      organizationId: null,
      usedMemoryMb: 0,
      usedDiskMb: 0,
      usedCpuPercent: 0,
      agentVersion: null,
      lastHeartbeatAt: null,
      createdAt: now,
      updatedAt: now,
    };
    const made = await tx`
      insert into nodes ${tx({ ...row, tokenHash })} on conflict (name) do nothing returning id`;
    if (made.length === 0) throw nameTaken();
    await record(tx, principal, now, {
      organizationId: null,
      role: principal.platformRole,
      action: 'create',
      resourceType: 'node',
      resourceId: row.id,
      resourceName: row.name,
      after: summaryOf(row),
    });
    return { ...toNode(row, now), token };
  });
}
