import { TRPCError } from '@trpc/server';
import type { FastifyInstance, FastifyReply } from 'fastify';
import { ZodError } from 'zod';
import type { AuthRoute } from '../auth/routes.ts';
import { notFound } from '../kernel/errors.ts';
import { clientKeyOf, originOf } from './context.ts';
import { requireTrustedOrigin } from './origin.ts';
import { ALLOWED_METHODS } from './procedures.ts';
import { sendError, sendJson } from './wire.ts';

/** Serves `/api/auth/*`. */
export function serveAuth(
  app: FastifyInstance,
  routes: ReadonlyMap<string, AuthRoute>,
  trustedOrigins: ReadonlySet<string>,
): void {
  app.all('/api/auth/*', async (request, reply) => {
    const { '*': name } = request.params as { '*': string };
    const path = `auth/${name}`;
    const route = routes.get(name);
    if (route === undefined) return sendError(reply, notFound('Route'), path);
    const method = request.method === 'HEAD' ? 'GET' : request.method;
    if (method !== route.method) {
      const error = new TRPCError({ code: 'METHOD_NOT_SUPPORTED', message: `Use ${route.method}.` });
      return sendError(reply.header('allow', ALLOWED_METHODS[route.method]), error, path);
    }
    try {
      if (method === 'POST') requireTrustedOrigin(request, trustedOrigins);
      const response = await route.handle({
        method,
        body: request.body,
        origin: originOf(request),
        clientKey: clientKeyOf(request.ip),
        cookie: request.headers.cookie,
      });
      return await pass(reply, response, path);
    } catch (error) {
      const invalid = error instanceof ZodError;
      return sendError(reply, invalid ? new TRPCError({ code: 'BAD_REQUEST', cause: error }) : error, path);
    }
  });
}

type AuthBody = { code?: string; message?: string; token?: unknown; session?: { token?: unknown } } | null;

/** better-auth's answer without session tokens, and with our part of an error beside its own. */
async function pass(reply: FastifyReply, response: Response, path: string): Promise<FastifyReply> {
  const text = await response.text();
  if (response.status >= 500) throw new Error(`better-auth answered ${response.status}`);
  const body = (text === '' ? null : JSON.parse(text)) as AuthBody;
  for (const cookie of response.headers.getSetCookie()) reply.header('set-cookie', cookie);
  reply.header('cache-control', 'no-store').code(response.status);
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
