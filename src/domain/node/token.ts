import { hashSecret, newSecret } from '../../kernel/secrets.ts';
import { record } from '../audit/index.ts';
import type { Deps } from '../deps.ts';
import type { Principal } from '../principal.ts';
import { holdNode, type Node, toNode } from './row.ts';

/** What an agent is known by, and how it is stored. */
export function newNodeToken(): { token: string; tokenHash: string } {
  const token = `node_${newSecret()}`;
  return { token, tokenHash: hashSecret(token) };
}

/** The token so far is accepted no more. The answer is the only place where the new one appears. @throws NOT_FOUND */
export function rotateNodeToken(
  deps: Deps,
  principal: Principal,
  id: string,
): Promise<Node & { token: string }> {
  return deps.db.transaction(async (tx) => {
    const node = await holdNode(tx, id);
    const now = deps.now();
    const { token, tokenHash } = newNodeToken();
    await tx`update nodes set token_hash = ${tokenHash}, updated_at = ${now} where id = ${id}`;
    await record(tx, principal, now, {
      organizationId: null,
      role: principal.platformRole,
      action: 'rotate',
      resourceType: 'node',
      resourceId: id,
      resourceName: node.name,
    });
    return { ...toNode({ ...node, updatedAt: now }, now), token };
  });
}
