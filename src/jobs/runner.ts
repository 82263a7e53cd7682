import type { Database } from '../db/client.ts';
import type { JobName, JobPayloads } from '../domain/job/index.ts';
import { handlers, type JobContext } from './handlers.ts';

/** Seconds before each next attempt; after the last one a job counts as failed and stays in the table. */
const BACKOFF_S = [5, 30, 120, 600, 3600, 4 * 3600, 12 * 3600, 24 * 3600];
/** A job whose process died is taken up again after this. Handlers must end sooner. */
const LEASE_S = 120;
const BATCH = 10;
const POLL_MS = 500;

type Row = { [N in JobName]: { id: string; name: N; payload: JobPayloads[N]; attempts: number } }[JobName];

export type JobRunner = {
  start(): void;
  /** Runs everything that is due and resolves when nothing is left. */
  runDue(): Promise<void>;
  /** Takes no more jobs and resolves when those under way have ended. */
  stop(): Promise<void>;
};

/**
 * Takes due jobs one batch after another and runs each batch side by side. Delivery is at least once: a job is
 * deleted after its handler has returned.
 */
export function createJobRunner(
  context: JobContext,
  log: { error(details: object, message: string): void; warn(details: object, message: string): void },
): JobRunner {
  const { db, now } = context.deps;

  const claim = (): Promise<Row[]> => {
    const at = now();
    const leaseEnd = new Date(at.getTime() + LEASE_S * 1000);
    return db.query(
      (sql) => sql<Row[]>`
        update jobs set locked_until = ${leaseEnd}, attempts = attempts + 1
        where id in (
          select id from jobs
          where run_at <= ${at} and failed_at is null and (locked_until is null or locked_until <= ${at})
          order by run_at limit ${BATCH} for update skip locked)
        returning id, name, payload, attempts`,
    );
  };

  async function perform(job: Row): Promise<void> {
    const handler = handlers[job.name] as
      | ((c: JobContext, id: string, payload: unknown) => Promise<void>)
      | undefined;
    if (handler === undefined) throw new Error(`There is no handler for ${job.name}.`);
    await handler(context, job.id, job.payload);
  }

  async function run(job: Row): Promise<void> {
    try {
      await perform(job);
      await db.query((sql) => sql`delete from jobs where id = ${job.id}`);
    } catch (error) {
      await putBack(job, error);
    }
  }

  async function putBack(job: Row, error: unknown): Promise<void> {
    const wait = BACKOFF_S[job.attempts - 1];
    const details = { err: error, job: job.name, jobId: job.id, attempts: job.attempts };
    if (wait === undefined) log.error(details, 'job failed for good');
    else log.warn(details, `job failed, next attempt in ${wait} s`);
    const lastError = String(error instanceof Error ? error.message : error).slice(0, 1000);
    const at = now();
    const runAt = new Date(at.getTime() + (wait ?? 0) * 1000);
    await db.query(
      (sql) => sql`
        update jobs set locked_until = null, last_error = ${lastError}, run_at = ${runAt},
          failed_at = ${wait === undefined ? at : null}
        where id = ${job.id}`,
    );
  }

  async function runDue(): Promise<void> {
    for (let jobs = await claim(); jobs.length > 0; jobs = await claim()) {
      await Promise.all(jobs.map(run));
      if (stopping) return;
    }
  }

  let stopping = false;
  let timer: NodeJS.Timeout | undefined;
  let underWay: Promise<void> = Promise.resolve();

  function poll(): void {
    underWay = runDue()
      .catch((error: unknown) => log.error({ err: error }, 'jobs could not be taken'))
      .finally(() => {
        if (!stopping) timer = setTimeout(poll, POLL_MS);
      });
  }

  return {
    start: poll,
    runDue,
    async stop() {
      stopping = true;
      clearTimeout(timer);
      await underWay;
    },
  };
}

/** How many jobs wait, and how many were given up. */
export async function countJobs(db: Database): Promise<{ waiting: number; failed: number }> {
  const [row] = await db.query(
    (sql) => sql<{ waiting: number; failed: number }[]>`
      select count(*) filter (where failed_at is null) as waiting, count(*) filter (where failed_at is not null) as failed
      from jobs`,
  );
  return row ?? { waiting: 0, failed: 0 };
}
