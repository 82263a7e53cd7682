import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { unauthorized, unavailable } from '../kernel/errors.ts';
import { equalSecrets } from '../kernel/secrets.ts';
import { within } from '../kernel/within.ts';
import type { Endpoint } from './procedures.ts';
import { sendError, sendJson } from './wire.ts';

export type OperationsOptions = {
  /** Resolves when the database answers and has every migration; rejects otherwise. */
  checkReady: () => Promise<void>;
  /** Bearer token of `/metrics`; without one there is no such route. */
  metricsToken: string | undefined;
  /** `oldestSeconds` is the age of the oldest waiting job, 0 without one. */
  countJobs: () => Promise<{ waiting: number; failed: number; oldestSeconds: number }>;
};

/** A network that swallows packets would keep a probe waiting, and the probe would not say why. */
const READY_WITHIN_MS = 2_000;

/** Only names that exist become labels: a client cannot make new ones. */
export function labelOf(
  endpoints: ReadonlyMap<string, Endpoint>,
  route: string | undefined,
  params: unknown,
): string {
  const { procedure, path } = (params ?? {}) as { procedure?: string; path?: string };
  const name = procedure ?? path;
  const own = route?.replace('/api/', '');
  if (own !== undefined && endpoints.has(own)) return own; // a route of its own, as uploads have
  if (name !== undefined && endpoints.has(name)) return name;
  return name === undefined ? (route ?? 'unknown') : path === undefined ? 'unknown' : 'trpc batch';
}

/** Liveness, readiness and metrics. `startDraining` makes readiness fail, so that no new requests are sent here. */
export function operationsRoutes(
  app: FastifyInstance,
  endpoints: ReadonlyMap<string, Endpoint>,
  options: OperationsOptions,
) {
  let draining = false;
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const durations = new Histogram({
    name: 'tenantry_http_request_duration_seconds',
    help: 'Time to answer, by procedure and status.',
    labelNames: ['procedure', 'status'],
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    registers: [registry],
  });
  const jobs = new Gauge({
    name: 'tenantry_jobs',
    help: 'Jobs by state; failed ones were given up.',
    labelNames: ['state'],
    registers: [registry],
  });
  const oldestJob = new Gauge({
    name: 'tenantry_job_oldest_seconds',
    help: 'Age of the oldest job that waits or is tried again; 0 without one.',
    registers: [registry],
  });

  app.addHook('onResponse', (request, reply, done) => {
    durations.observe(
      { procedure: labelOf(endpoints, request.routeOptions.url, request.params), status: reply.statusCode },
      reply.elapsedTime / 1000,
    );
    done();
  });

  app.get('/health', (_request, reply) => sendJson(reply, { status: 'ok' }));

  app.get('/ready', async (_request, reply) => {
    if (draining) return sendError(reply, unavailable('draining', 'The service is stopping.'), 'ready');
    try {
      await within(READY_WITHIN_MS, options.checkReady());
    } catch (cause) {
      return sendError(
        reply,
        unavailable('database_unavailable', 'The database is not ready.', cause),
        'ready',
      );
    }
    return sendJson(reply, { status: 'ok' });
  });

  const metrics = async (request: FastifyRequest, reply: FastifyReply) => {
    if (!equalSecrets(request.headers.authorization ?? '', `Bearer ${options.metricsToken}`)) {
      return sendError(
        reply,
        unauthorized('metrics_token', 'Send the metrics token as a bearer token.'),
        'metrics',
      );
    }
    try {
      const { waiting, failed, oldestSeconds } = await options.countJobs();
      jobs.set({ state: 'waiting' }, waiting);
      jobs.set({ state: 'failed' }, failed);
      oldestJob.set(oldestSeconds);
    } catch (error) {
      jobs.reset();
      oldestJob.remove();
      request.log.warn({ err: error }, 'jobs could not be counted');
    }
    return reply.header('content-type', registry.contentType).send(await registry.metrics());
  };
  if (options.metricsToken !== undefined) app.get('/metrics', metrics);

  return {
    startDraining() {
      draining = true;
    },
  };
}
