import { TRPCError } from '@trpc/server';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { ZodError } from 'zod';
import type { AuthRoute } from '../auth/routes.ts';
import { notFound } from '../kernel/errors.ts';
import { clientKeyOf, originOf } from './context.ts';
import { requireMethod } from './methods.ts';
import { requireTrustedOrigin } from './origin.ts';
import { sendError, sendJson } from './wire.ts';

const nameOf = (request: FastifyRequest) => (request.params as { '*': string })['*'];

/** Serves `/api/auth/*`. */
export function serveAuth(
  app: FastifyInstance,
  routes: ReadonlyMap<string, AuthRoute>,
  trustedOrigins: ReadonlySet<string>,
): void {
  const errorHandler = (error: unknown, request: FastifyRequest, reply: FastifyReply) => {
    const invalid = error instanceof ZodError;
    const thrown = invalid ? new TRPCError({ code: 'BAD_REQUEST', cause: error }) : error;
    return sendError(reply, thrown, `auth/${nameOf(request)}`);
  };

  app.all('/api/auth/*', { errorHandler }, async (request, reply) => {
    const name = nameOf(request);
    const route = routes.get(name);
    if (route === undefined) throw notFound('Route');
    requireMethod(request, reply, route.method);
    if (route.method === 'POST') requireTrustedOrigin(request, trustedOrigins);
    const response = await route.handle({
      method: route.method,
      body: request.body,
      origin: originOf(request),
      clientKey: clientKeyOf(request.ip),
      cookie: request.headers.cookie,
    });
    return pass(reply, response, `auth/${name}`);
  });
}

type AuthBody = { code?: string; message?: string; token?: unknown; session?: { token?: unknown } } | null;

/** better-auth's answer without session tokens, and with our part of an error beside its own. */
async function pass(reply: FastifyReply, response: Response, path: string): Promise<FastifyReply> {
  const text = await response.text();
  const body = (text === '' ? null : JSON.parse(text)) as AuthBody;
  for (const cookie of response.headers.getSetCookie()) reply.header('set-cookie', cookie);
  reply.code(response.status);
  if (response.status >= 400) {
    const code =
      response.status === 401 ? 'UNAUTHORIZED' : response.status === 403 ? 'FORBIDDEN' : 'BAD_REQUEST';
    const reason = (body?.code ?? code).toLowerCase();
    const data = { code, httpStatus: response.status, path, reason };
    return sendJson(reply, { message: body?.message ?? 'Refused', code: body?.code ?? code, data });
  }
  if (body !== null) {
    delete body.token;
    delete body.session?.token;
  }
  return sendJson(reply, body);
}
