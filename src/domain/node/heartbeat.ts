import { unauthorized } from '../../kernel/errors.ts';
import { HEARTBEAT_EVERY_SECONDS, type ServerSize } from '../../kernel/placement.ts';
import { hashSecret } from '../../kernel/secrets.ts';
import type { DESIRED_STATES, SERVER_STATES } from '../../kernel/vocabulary.ts';
import type { Deps } from '../deps.ts';

/** What an agent says; servers that it leaves out keep their state. */
export type Heartbeat = {
  token: string;
  agentVersion?: string | undefined;
  servers: { id: string; state: (typeof SERVER_STATES)[number] }[];
};

/** A server that is to be on the node, and what it is to do there. */
export type Assignment = ServerSize & {
  id: string;
  name: string;
  desiredState: (typeof DESIRED_STATES)[number];
};

/** All that is to be on the node: what is not named here is to be removed. */
export type HeartbeatAnswer = { nodeId: string; nextHeartbeatSeconds: number; servers: Assignment[] };

/**
 * Notes what a node says of its servers, and answers what they are to be. Reports about servers that are not on this
 * node, or no longer, count for nothing. Servers are held before the node, as everywhere, and in the order of their ids:
 * an agent whose report got no answer sends another one while the first is still at it.
 *
 * @throws UNAUTHORIZED for a token that stands for no node.
 */
export function heartbeat(deps: Deps, { token, agentVersion, servers }: Heartbeat): Promise<HeartbeatAnswer> {
  const now = deps.now();
  const tokenHash = hashSecret(token);
  return deps.db.transaction(async (tx) => {
    const [node] = await tx<{ id: string }[]>`select id from nodes where token_hash = ${tokenHash}`;
    if (node === undefined) {
      throw unauthorized('node_token_invalid', 'This node token is unknown or was replaced.');
    }
    await tx`
      with held as (
        select s.id, r.state from servers s
        join jsonb_to_recordset(${tx.json(servers)}) as r (id uuid, state text) using (id)
        where s.node_id = ${node.id} order by s.id for no key update of s)
      update servers s set state = held.state, reported_at = ${now} from held where s.id = held.id`;
    await tx`
      update nodes set last_heartbeat_at = ${now}, agent_version = coalesce(${agentVersion ?? null}, agent_version)
      where id = ${node.id}`;
    const wanted = await tx<Assignment[]>`
      select id, name, memory_mb, disk_mb, cpu_percent, desired_state from servers
      where node_id = ${node.id} order by id`;
    return { nodeId: node.id, nextHeartbeatSeconds: HEARTBEAT_EVERY_SECONDS, servers: wanted };
  });
}
