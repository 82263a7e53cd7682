import postgres from 'postgres';

export type Held = {
  /** Resolves once `count` statements of the service wait for a lock. */
  waiters(count: number): Promise<void>;
  release(): Promise<void>;
};

/** Runs `statement` in a transaction of its own and keeps that open, so that whatever needs the same lock waits. */
export async function hold(databaseUrl: string, statement: string): Promise<Held> {
  const gate = postgres(databaseUrl, { max: 2, onnotice: () => {} });
  const connection = await gate.reserve();
  await connection.unsafe('begin');
  await connection.unsafe(statement);
  return {
    async waiters(count) {
      for (let waiting = 0; waiting < count; ) {
        const [row] = await gate<{ n: number }[]>`
          select count(*)::int as n from pg_stat_activity
          where datname = current_database() and wait_event_type = 'Lock'`;
        waiting = row?.n ?? 0;
      }
    },
    async release() {
      await connection.unsafe('rollback');
      connection.release();
      await gate.end();
    },
  };
}
