import type { JobName, JobPayloads } from '../domain/job/index.ts';
import { MailRefused } from '../domain/mail.ts';
import { within } from '../kernel/within.ts';
import { handlers, type Job, type JobContext } from './handlers.ts';

/** Seconds before each next attempt; after the last one a job counts as failed and stays in the table. */
const BACKOFF_S = [5, 30, 120, 600, 3600, 4 * 3600, 12 * 3600, 24 * 3600];
const MAX_ATTEMPTS = BACKOFF_S.length + 1;
/** A job whose process died is taken up again after this. */
const LEASE_S = 120;
/**
 * In milliseconds. A handler that takes longer than `handler` has failed: its slot goes to another job, before its
 * lease ends. Stopping waits for `stop`; what is still under way then is taken up again after its lease.
 */
const PATIENCE = { handler: 90_000, stop: 10_000 };
const SLOTS = 10;
/** Of one kind, so that many webhooks, or a slow DNS provider, leave room for the mails. */
const SLOTS_OF_KIND = 6;
/** Of jobs that only wait for an answer, so that receivers that give none hold nobody up. */
const MAX_LENT = 100;
const POLL_MS = 500;
const MAX_ERROR_LENGTH = 500;

const KINDS = Object.keys(handlers) as JobName[];

type Row = { [N in JobName]: { id: string; name: N; payload: JobPayloads[N]; attempts: number } }[JobName];

/** The place of a job under way; while it is lent, another job may have it. */
type Slot = { name: JobName; isLent: boolean };

type Log = {
  error(details: object, message: string): void;
  warn(details: object, message: string): void;
};

export type JobRunner = {
  start(): void;
  /** Runs everything that is due and resolves when nothing is left. */
  runDue(): Promise<void>;
  /** Takes no more jobs and resolves when those under way have ended, or have had ten seconds to. */
  stop(): Promise<void>;
};

/** What is kept of an error: one line that a terminal can show. */
const reasonOf = (error: unknown): string =>
  String(error instanceof Error ? error.message : error)
    .replace(/[\p{Cc}\s]+/gu, ' ')
    .slice(0, MAX_ERROR_LENGTH);

/**
 * Keeps up to ten jobs under way, six of a kind; each that ends makes room for the next, so that a slow one holds no
 * other up. Those that wait for the receiver of a webhook come on top, a hundred at most. Delivery is at least once: a job
 * is deleted after its handler has returned.
 */
export function createJobRunner(context: JobContext, log: Log, patience = PATIENCE): JobRunner {
  const { db, now } = context.deps;
  const underWay = new Map<Promise<void>, Slot>();
  /** Whose rows go with the next statement that claims. */
  let done: string[] = [];
  let stopping = false;
  let timer: NodeJS.Timeout | undefined;
  let wake = (): void => {};
  let polling: Promise<void> = Promise.resolve();

  const countSlots = (which: (slot: Slot) => boolean): number => [...underWay.values()].filter(which).length;

  /** How many of a kind may be taken now. */
  const roomOf = (kind: JobName): number =>
    Math.max(0, SLOTS_OF_KIND - countSlots(({ name, isLent }) => name === kind && !isLent));

  /** Lends a slot while its job waits for an answer, which takes nothing of ours. */
  async function lend<T>(slot: Slot, answer: Promise<T>): Promise<T> {
    slot.isLent = countSlots(({ isLent }) => isLent) < MAX_LENT;
    wake();
    try {
      return await answer;
    } finally {
      slot.isLent = false;
    }
  }

  /** Takes jobs, and deletes those that are done. */
  async function claim(limit: number): Promise<Row[]> {
    const ended = done;
    done = [];
    const at = now();
    const leaseEnd = new Date(at.getTime() + LEASE_S * 1000);
    try {
      return await db.query(
        (sql) => sql<Row[]>`
          with ended as (delete from jobs where id = any(${ended})),
            due as materialized ( -- as a subquery it may run again for each job, and take them all
              select one.id from unnest(${KINDS}::text[], ${KINDS.map(roomOf)}::int[]) as kind (name, room)
              cross join lateral (
                select id, run_at from jobs
                where name = kind.name and run_at <= ${at} and failed_at is null
                  and (locked_until is null or locked_until <= ${at})
                order by run_at limit kind.room for update skip locked) one
              order by one.run_at limit ${limit})
          update jobs j set locked_until = ${leaseEnd}, attempts = attempts + 1
          from due where j.id = due.id
          returning j.id, j.name, j.payload, j.attempts`,
      );
    } catch (error) {
      done = [...ended, ...done]; // deleted by the next one
      throw error;
    }
  }

  async function perform(job: Row, slot: Slot): Promise<void> {
    if (job.attempts > MAX_ATTEMPTS) throw new Error('The process ended during the last attempt.');
    const handler = handlers[job.name] as (c: JobContext, job: Job, payload: unknown) => Promise<void>;
    const { id, attempts } = job;
    const attributes = { 'tenantry.job_id': id, 'tenantry.job_attempt': attempts };
    const task = () => handler(context, { id, attempts, lend: (answer) => lend(slot, answer) }, job.payload);
    const { tracing } = context;
    const running =
      tracing === undefined ? task() : tracing.within('consumer', `job ${job.name}`, attributes, task);
    await within(patience.handler, running);
  }

  async function run(job: Row, slot: Slot): Promise<void> {
    try {
      await perform(job, slot);
    } catch (error) {
      return putBack(job, error);
    }
    done.push(job.id);
  }

  /** Another attempt later, or none. A job that somebody else took up meanwhile is theirs. */
  async function putBack(job: Row, error: unknown): Promise<void> {
    const wait = error instanceof MailRefused ? undefined : BACKOFF_S[job.attempts - 1];
    const details = { err: error, job: job.name, jobId: job.id, attempts: job.attempts };
    if (wait === undefined) log.error(details, 'job failed for good');
    else log.warn(details, `job failed, next attempt in ${wait} s`);
    const at = now();
    const runAt = new Date(at.getTime() + (wait ?? 0) * 1000);
    await db.query(
      (sql) => sql`
        update jobs set locked_until = null, last_error = ${reasonOf(error)}, run_at = ${runAt},
          failed_at = ${wait === undefined ? at : null}
        where id = ${job.id} and attempts = ${job.attempts}`,
    );
  }

  /** Starts what is due in the free slots. */
  async function take(): Promise<void> {
    const free = SLOTS - countSlots(({ isLent }) => !isLent);
    if (free <= 0) return;
    for (const job of await claim(free)) {
      const slot = { name: job.name, isLent: false };
      const running = run(job, slot)
        .catch((error: unknown) =>
          log.error(
            { err: error, job: job.name, jobId: job.id },
            'the outcome of a job could not be written',
          ),
        )
        .finally(() => {
          underWay.delete(running);
          wake();
        });
      underWay.set(running, slot);
    }
  }

  async function runDue(): Promise<void> {
    await take();
    while (underWay.size > 0 || done.length > 0) {
      if (underWay.size > 0) await Promise.race(underWay.keys());
      await take();
    }
  }

  const pause = (): Promise<void> =>
    new Promise((resolve) => {
      clearTimeout(timer);
      wake = resolve;
      timer = setTimeout(resolve, POLL_MS);
    });

  /** Looks for jobs when one has ended or lent its slot, and every half second. */
  async function poll(): Promise<void> {
    while (!stopping) {
      const pausing = pause(); // before it looks, so that what ends meanwhile ends the pause
      await take().catch((error: unknown) => log.error({ err: error }, 'jobs could not be taken'));
      if (stopping) return;
      await pausing;
    }
  }

  return {
    start() {
      polling = poll();
    },
    runDue,
    async stop() {
      stopping = true;
      clearTimeout(timer);
      wake();
      await polling;
      await within(patience.stop, Promise.all(underWay.keys())).catch((error: unknown) =>
        log.warn({ err: error, jobs: underWay.size }, 'jobs are left to be taken up again'),
      );
      if (done.length === 0) return;
      await claim(0).catch((error: unknown) =>
        log.warn({ err: error, jobs: done.length }, 'jobs that are done will be done again'),
      );
    },
  };
}
