import type { Database } from '../../db/client.ts';
import { notFound } from '../../kernel/errors.ts';

/** `oldestSeconds` is the age of the oldest job that is not done and not given up; 0 without one. */
export type JobCounts = { waiting: number; failed: number; oldestSeconds: number };

export async function countJobs(db: Database, now: Date): Promise<JobCounts> {
  const [row] = await db.query(
    (sql) => sql<JobCounts[]>`
      select count(*) filter (where failed_at is null) as waiting, count(*) filter (where failed_at is not null) as failed,
        greatest(0, coalesce(extract(epoch from ${now} - min(created_at) filter (where failed_at is null)), 0))::float
          as oldest_seconds
      from jobs`,
  );
  return row ?? { waiting: 0, failed: 0, oldestSeconds: 0 };
}

/** A job that was given up. What it carries is left out: it names people. */
export type FailedJob = {
  id: string;
  name: string;
  attempts: number;
  createdAt: Date;
  failedAt: Date;
  lastError: string | null;
};

/** The jobs that were given up, newest first. */
export const failedJobs = (db: Database, limit: number): Promise<FailedJob[]> =>
  db.query(
    (sql) => sql<FailedJob[]>`
      select id, name, attempts, created_at, failed_at, last_error from jobs
      where failed_at is not null order by failed_at desc, id desc limit ${limit}`,
  );

/**
 * Has a job that was given up tried again from the start, or all of them.
 *
 * @returns how many.
 * @throws NOT_FOUND when no job with this id was given up.
 */
export async function retryFailedJobs(db: Database, now: Date, id?: string): Promise<number> {
  const { count } = await db.query(
    (sql) => sql`
      update jobs set failed_at = null, attempts = 0, run_at = ${now}, locked_until = null
      where failed_at is not null ${id === undefined ? sql`` : sql`and id = ${id}`}`,
  );
  if (id !== undefined && count === 0) throw notFound('Failed job');
  return count;
}
