import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { notFound } from '../kernel/errors.ts';
import type { CreateContext } from './context.ts';
import { requireMethod } from './methods.ts';
import type { Endpoint } from './procedures.ts';
import { sendError, sendJson } from './wire.ts';

const searchOf = (url: string): string => {
  const at = url.indexOf('?');
  return at === -1 ? '' : url.slice(at + 1);
};

const nameOf = (request: FastifyRequest) => (request.params as { procedure: string }).procedure;

/** Plain HTTP: `GET /api/<query>?…` and `POST /api/<mutation>` with a JSON body. */
export function plainRoutes(
  app: FastifyInstance,
  endpoints: ReadonlyMap<string, Endpoint>,
  createContext: CreateContext,
): void {
  async function answer(request: FastifyRequest, reply: FastifyReply, endpoint: Endpoint): Promise<unknown> {
    const input = endpoint.method === 'GET' ? endpoint.readQuery(searchOf(request.url)) : request.body;
    return endpoint.call({
      ctx: await createContext(request, reply),
      path: endpoint.name,
      type: endpoint.type,
      getRawInput: async () => (input === undefined ? {} : input), // null is a body, and not an object
      signal: undefined,
      batchIndex: 0,
    });
  }

  const errorHandler = (error: unknown, request: FastifyRequest, reply: FastifyReply) =>
    sendError(reply, error, nameOf(request));

  app.all('/api/:procedure', { errorHandler }, async (request, reply) => {
    const endpoint = endpoints.get(nameOf(request));
    if (endpoint === undefined) throw notFound('Procedure');
    requireMethod(request, reply, endpoint.method);
    return sendJson(reply, await answer(request, reply, endpoint));
  });
}
