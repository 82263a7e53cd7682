import { TRPCError } from '@trpc/server';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { ZodError } from 'zod';
import { countCall } from '../api/rate-limits.ts';
import type { AuthRoute } from '../auth/route.ts';
import { notFound } from '../kernel/errors.ts';
import { clientOf } from '../kernel/networks.ts';
import { type ContextOptions, originOf, type ReadPrincipal } from './context.ts';
import { refuseIfMatch } from './etag.ts';
import { refuseIdempotencyKey } from './idempotency.ts';
import { requireMethod } from './methods.ts';
import { requireTrustedOrigin } from './origin.ts';
import { sendError, sendJson } from './wire.ts';

const nameOf = (request: FastifyRequest) => (request.params as { '*': string })['*'];

/** Serves `/api/auth/*`. */
export function serveAuth(
  app: FastifyInstance,
  routes: ReadonlyMap<string, AuthRoute>,
  { rateLimiter, callLimit, trustedOrigins }: ContextOptions,
  principalOfCookie: ReadPrincipal,
): void {
  const errorHandler = (error: unknown, request: FastifyRequest, reply: FastifyReply) => {
    const invalid = error instanceof ZodError;
    const thrown = invalid ? new TRPCError({ code: 'BAD_REQUEST', cause: error }) : error;
    return sendError(reply, thrown, `auth/${nameOf(request)}`);
  };

  app.all('/api/auth/*', { errorHandler }, async (request, reply) => {
    const route = routes.get(nameOf(request));
    if (route === undefined) throw notFound('Route');
    requireMethod(request, reply, route.method);
    if (route.method === 'POST') {
      requireTrustedOrigin(request, trustedOrigins);
      refuseIdempotencyKey(request, 'Calls of /api/auth');
    }
    refuseIfMatch(request);
    const origin = originOf(request);
    const clientKey = clientOf(origin.ipAddress);
    const setHeader = (name: string, value: string) => void reply.header(name, value);
    const { body, cookies = [] } = await route.handle({
      method: route.method,
      body: request.body,
      origin,
      clientKey,
      cookie: request.headers.cookie,
      async principal() {
        const principal = await principalOfCookie(request, origin);
        await countCall({ rateLimiter, callLimit, principal, clientKey, setHeader }, []);
        return principal;
      },
    });
    for (const cookie of cookies) reply.header('set-cookie', cookie);
    return sendJson(reply, body);
  });
}
