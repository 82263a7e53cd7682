import type postgres from 'postgres';
import { expect, vi } from 'vitest';
import { type Caller, times } from './harness.ts';

/* Writes under way while something fails, and what has become of them. */

export type Load = {
  /** Names of the organizations whose creation was answered with 200. */
  acknowledged: string[];
  /** How often each status came; 0 is a connection without an answer. */
  statuses: Map<number, number>;
  /** Resolves once so many more have been acknowledged. */
  more(count: number): Promise<void>;
  /** Sends no more and resolves when the last answer is there. */
  stop(): Promise<void>;
};

/** Creates organizations without a pause, by 8 writers where nothing is said; with `untilLost` each writer ends with the first lost connection. */
export function startLoad(caller: Caller, options: { untilLost?: boolean; writers?: number } = {}): Load {
  const acknowledged: string[] = [];
  const statuses = new Map<number, number>();
  let stopped = false;
  const write = async (writer: number) => {
    for (let n = 0; !stopped; n += 1) {
      const name = `load ${writer} ${n} ${crypto.randomUUID()}`;
      const status = await caller.post('organization.create', { name }).then(
        (reply) => reply.status,
        () => 0,
      );
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
      if (status === 200) acknowledged.push(name);
      if (status === 0 && options.untilLost === true) return;
    }
  };
  const writers = Promise.all(times(options.writers ?? 8, write));
  return {
    acknowledged,
    statuses,
    async more(count) {
      const wanted = acknowledged.length + count;
      await vi.waitFor(() => expect(acknowledged.length).toBeGreaterThanOrEqual(wanted), {
        timeout: 30_000,
        interval: 5,
      });
    },
    async stop() {
      stopped = true;
      await writers;
    },
  };
}

export const totalOf = ({ statuses }: Load): number => [...statuses.values()].reduce((a, b) => a + b, 0);

/** What was acknowledged and is not there, and what there may never be. */
export async function auditOf(sql: postgres.Sql, { acknowledged }: Pick<Load, 'acknowledged'>) {
  const rows = await sql<{ name: string; isWhole: boolean }[]>`
    select o.name,
      (select count(*) from memberships m
        where m.organization_id = o.id and m.role = 'owner' and m.user_id = o.owner_id) = 1
      and (select count(*) from audit_log a
        where a.organization_id = o.id and a.action = 'create' and a.resource_type = 'organization') = 1
      and exists (select from dns_zones z where z.organization_id = o.id) as "isWhole"
    from organizations o`;
  const there = new Set(rows.map(({ name }) => name));
  return {
    lost: acknowledged.filter((name) => !there.has(name)),
    violated: rows.filter(({ isWhole }) => !isWhole),
  };
}
