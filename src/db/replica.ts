import { reasonOf } from '../kernel/reason.ts';
import { within } from '../kernel/within.ts';
import { createDatabase, type Database, type Sql } from './client.ts';

/** For statements that only read, and that may see the database as it was some seconds ago. They decide nothing. */
export type Reader = Pick<Database, 'query'>;

export type ReplicaOptions = {
  /** Of a standby that streams from the primary, hot_standby being on. */
  url: string;
  poolSize: number;
  primary: Reader;
  /** Told whenever the replica begins or ceases to be used. */
  onChange(isUsed: boolean, reason: string): void;
};

const CHECK_MS = 1_000;
const MAX_WAIT_MS = 2_000;
/** Further behind it is not asked. */
const MAX_LAG_SECONDS = 10;

export type ReplicaState = { isStandby: boolean; isUsable: boolean; reason: string };

/** Whether a replica may be read now, and why it may or may not. */
export async function stateOfReplica(sql: Sql): Promise<ReplicaState> {
  const [row] = await sql<{ isStandby: boolean; lag: number | null }[]>`
    select pg_is_in_recovery() as is_standby,
      extract(epoch from now() - pg_last_xact_replay_timestamp())::float8 as lag`;
  // One that was promoted, or never was a replica, goes its own way.
  if (row?.isStandby !== true) return { isStandby: false, isUsable: false, reason: 'it is no standby' };
  const isStandby = true;
  if (row.lag === null) return { isStandby, isUsable: false, reason: 'it has replayed nothing yet' };
  if (row.lag <= MAX_LAG_SECONDS) return { isStandby, isUsable: true, reason: 'up to date' };
  return { isStandby, isUsable: false, reason: `its newest change is ${Math.round(row.lag)} s old` };
}

/**
 * Reads on a replica as long as it answers and is not far behind, and otherwise on the primary. A primary without
 * changes makes its replica look old, and is idle enough to be asked itself.
 */
export function createReplica({ url, poolSize, primary, onChange }: ReplicaOptions) {
  const { database: replica, close } = createDatabase({ url, poolSize, maxWaitMs: MAX_WAIT_MS });
  let isUsed: boolean | undefined;
  const set = (used: boolean, reason: string) => {
    if (used !== isUsed) onChange(used, reason);
    isUsed = used;
  };
  const giveUp = (error: unknown) => set(false, reasonOf(error));

  async function check(): Promise<void> {
    const { isUsable, reason } = await within(MAX_WAIT_MS, replica.query(stateOfReplica));
    set(isUsable, reason);
  }

  let checking: Promise<void> | undefined;
  const timer = setInterval(() => {
    checking ??= check()
      .catch(giveUp)
      .finally(() => {
        checking = undefined;
      });
  }, CHECK_MS);

  const reader: Reader = {
    async query(fn) {
      if (isUsed !== true) return primary.query(fn);
      try {
        return await within(MAX_WAIT_MS, replica.query(fn));
      } catch (error) {
        giveUp(error); // until it answers a check again; should the statement be at fault, the primary says so
        return primary.query(fn);
      }
    },
  };
  return {
    reader,
    async close() {
      clearInterval(timer);
      await checking;
      await close();
    },
  };
}
