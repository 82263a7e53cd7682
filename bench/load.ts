import autocannon from 'autocannon';

/*
 * The load generator, a process of its own so that it can be pinned. Takes its task as JSON in the first argument and
 * prints what came of it as JSON.
 */

export type Task = {
  url: string;
  method: 'GET' | 'POST';
  headers: Record<string, string>;
  body?: string;
  connections: number;
  seconds: number;
};

export type Load = {
  /** How many were answered, and how many of them in a second. */
  requests: number;
  perSecond: number;
  /** In milliseconds. */
  p50: number;
  p99: number;
  /** Other statuses than 2xx, lost connections and timeouts. */
  failed: number;
};

const { connections, seconds, body, ...request } = JSON.parse(process.argv[2] ?? '') as Task;
const result = await autocannon({
  ...request,
  ...(body === undefined ? {} : { body, idReplacement: true }),
  connections,
  duration: seconds,
});
const load: Load = {
  requests: result.requests.total,
  perSecond: result.requests.total / result.duration,
  p50: result.latency.p50,
  p99: result.latency.p99,
  failed: result.non2xx + result.errors + result.timeouts,
};
process.stdout.write(JSON.stringify(load));
