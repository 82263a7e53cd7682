import type { Config } from '../config.ts';
import { countJobs, type FailedJob, failedJobs, retryFailedJobs } from '../domain/job/index.ts';
import { badRequest } from '../kernel/errors.ts';
import { readableMoment } from '../kernel/mail-text.ts';
import { Id } from '../kernel/schemas.ts';
import { withDatabase } from './with-deps.ts';

const SHOWN = 100;

const describe = ({ id, name, createdAt, failedAt, attempts, lastError }: FailedJob): string =>
  `${id}  ${name}  asked for ${readableMoment(createdAt)}, given up ${readableMoment(failedAt)}, attempts: ${attempts}\n      ${lastError ?? 'no error was kept'}`;

/** The jobs that were given up, newest first, one paragraph each. */
export const listJobs = (config: Config): Promise<string> =>
  withDatabase(config, async (database) => {
    const jobs = await failedJobs(database, SHOWN);
    if (jobs.length === 0) return 'No job was given up.';
    const { failed } = await countJobs(database, new Date());
    const rest = failed > jobs.length ? [`… and ${failed - jobs.length} older ones`] : [];
    return [...jobs.map(describe), ...rest].join('\n');
  });

/** Has one job, or every job, that was given up tried again by the running service. */
export function retryJobs(config: Config, id: string | undefined): Promise<string> {
  if (id !== undefined && !Id.safeParse(id).success) {
    throw badRequest('id', 'invalid_id', `${id} is not the id of a job.`);
  }
  return withDatabase(config, async (database) => {
    const count = await retryFailedJobs(database, new Date(), id);
    if (count === 0) return 'No job was given up.';
    return count === 1 ? 'One job is tried again.' : `${count} jobs are tried again.`;
  });
}
