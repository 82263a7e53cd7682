import { AsyncResource } from 'node:async_hooks';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Tracing } from '../domain/tracing.ts';
import { labelOf } from './operations.ts';
import type { Endpoint } from './procedures.ts';

/**
 * A span for each request, under the name of its procedure, by the conventions for HTTP servers. The path as it was sent
 * stays out of it, and so does who sent it: `tenantry.request_id` leads to the line of the log.
 */
export function traceRequests(
  app: FastifyInstance,
  endpoints: ReadonlyMap<string, Endpoint>,
  tracing: Tracing,
): void {
  const scopes = new WeakMap<FastifyRequest, AsyncResource>();
  app.addHook('onRequest', (request, reply, done) => {
    const { traceparent } = request.headers;
    tracing.serve(typeof traceparent === 'string' ? traceparent : undefined, (span) => {
      reply.raw.once('close', () => {
        const { url: route = 'unknown' } = request.routeOptions;
        const { statusCode } = reply.raw;
        span.name(`${request.method} ${labelOf(endpoints, route, request.params)}`, {
          'http.request.method': request.method,
          'http.route': route,
          'http.response.status_code': statusCode,
          'url.scheme': request.protocol,
          'tenantry.request_id': request.id,
        });
        if (statusCode >= 500) span.fail(String(statusCode));
        span.end();
      });
      scopes.set(request, new AsyncResource('tenantry.request'));
      done();
    });
  });
  // The body arrives by events of the connection, which know nothing of the request.
  app.addHook('preValidation', (request, _reply, done) => {
    const scope = scopes.get(request);
    if (scope === undefined) done();
    else scope.runInAsyncScope(done);
  });
}
