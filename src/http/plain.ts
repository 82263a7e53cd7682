import { TRPCError } from '@trpc/server';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { notFound } from '../kernel/errors.ts';
import type { CreateContext } from './context.ts';
import { ALLOWED_METHODS, type Endpoint } from './procedures.ts';
import { sendError, sendJson } from './wire.ts';

const searchOf = (url: string): string => {
  const at = url.indexOf('?');
  return at === -1 ? '' : url.slice(at + 1);
};

/** Plain HTTP: `GET /api/<query>?…` and `POST /api/<mutation>` with a JSON body. */
export function plainRoutes(
  app: FastifyInstance,
  endpoints: ReadonlyMap<string, Endpoint>,
  createContext: CreateContext,
): void {
  async function answer(request: FastifyRequest, reply: FastifyReply, endpoint: Endpoint): Promise<unknown> {
    const input =
      endpoint.method === 'GET' ? endpoint.readQuery(searchOf(request.raw.url ?? '')) : (request.body ?? {});
    return endpoint.call({
      ctx: await createContext(request, reply),
      path: endpoint.name,
      type: endpoint.type,
      getRawInput: async () => input,
      signal: undefined,
      batchIndex: 0,
    });
  }

  app.all('/api/:procedure', async (request, reply) => {
    const { procedure: name } = request.params as { procedure: string };
    const endpoint = endpoints.get(name);
    if (endpoint === undefined) return sendError(reply, notFound('Procedure'), name);
    const method = request.method === 'HEAD' ? 'GET' : request.method;
    if (method !== endpoint.method) {
      const allow = ALLOWED_METHODS[endpoint.method];
      const error = new TRPCError({ code: 'METHOD_NOT_SUPPORTED', message: `Use ${endpoint.method}.` });
      return sendError(reply.header('allow', allow), error, name);
    }
    try {
      return sendJson(reply, await answer(request, reply, endpoint));
    } catch (error) {
      return sendError(reply, error, name);
    }
  });
}
