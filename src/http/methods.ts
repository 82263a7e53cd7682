import { TRPCError } from '@trpc/server';
import type { FastifyReply, FastifyRequest } from 'fastify';

const ALLOWED = { GET: 'GET, HEAD', POST: 'POST' } as const;
type Method = keyof typeof ALLOWED;

/** HEAD is answered as GET is, without the body. */
export const methodOf = (request: FastifyRequest): string =>
  request.method === 'HEAD' ? 'GET' : request.method;

/** The refusal of any method but the one that a route has; sets the Allow header. */
export function wrongMethod(reply: FastifyReply, method: Method): TRPCError {
  reply.header('allow', ALLOWED[method]);
  return new TRPCError({ code: 'METHOD_NOT_SUPPORTED', message: `Use ${method}.` });
}

/** @throws METHOD_NOT_SUPPORTED, with the Allow header set. */
export function requireMethod(request: FastifyRequest, reply: FastifyReply, method: Method): void {
  if (methodOf(request) !== method) throw wrongMethod(reply, method);
}
