import { text } from 'node:stream/consumers';
import autocannon from 'autocannon';
import type { Call } from './cases.ts';

/*
 * The load generator, a process of its own so that it can be pinned. Takes its task as JSON on its input and prints what
 * came of it as JSON.
 */

export type Task = { url: string; calls: Call[]; connections: number; seconds: number };

export type Load = {
  /** How many were answered, and how many of them in a second. */
  requests: number;
  perSecond: number;
  /** In milliseconds. */
  p50: number;
  p99: number;
  /** Other statuses than 2xx, lost connections and timeouts. */
  failed: number;
  /** How many answers there were of each status. */
  statuses: Record<string, { count?: number }>;
};

const { url, calls, connections, seconds } = JSON.parse(await text(process.stdin)) as Task;
let clients = 0;
const result = await autocannon({
  url,
  connections,
  duration: seconds,
  idReplacement: calls.some(({ body }) => body?.includes('[<id>]')),
  setupClient(client) {
    // Each connection has calls of its own, so that no two act for the same caller at once.
    const own = clients++ % calls.length;
    client.setRequests(calls.filter((_, index) => index % connections === own));
  },
});
const load: Load = {
  requests: result.requests.total,
  perSecond: result.requests.total / result.duration,
  p50: result.latency.p50,
  p99: result.latency.p99,
  failed: result.non2xx + result.errors + result.timeouts,
  statuses: result.statusCodeStats ?? {},
};
process.stdout.write(JSON.stringify(load));
