import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Context } from '../api/context.ts';
import { countCall } from '../api/rate-limits.ts';
import { notFound } from '../kernel/errors.ts';
import type { CreateContext } from './context.ts';
import { ifMatchOf, tagAnswer } from './etag.ts';
import { answerKeyed, idempotencyKeyOf } from './idempotency.ts';
import { requireMethod } from './methods.ts';
import type { Endpoint } from './procedures.ts';
import { sendAnswer, sendError, toText } from './wire.ts';

const searchOf = (url: string): string => {
  const at = url.indexOf('?');
  return at === -1 ? '' : url.slice(at + 1);
};

const nameOf = (request: FastifyRequest) => (request.params as { procedure: string }).procedure;

/** The input as plain HTTP sends it: in the query of a GET, in the body of a POST. */
export const inputOf = (request: FastifyRequest, endpoint: Endpoint): unknown =>
  endpoint.method === 'GET' ? endpoint.readQuery(searchOf(request.url)) : request.body;

/** Calls a procedure with what came over plain HTTP. */
export const callPlain = (endpoint: Endpoint, ctx: Context, input: unknown): Promise<unknown> =>
  endpoint.call({
    ctx,
    path: endpoint.name,
    type: endpoint.type,
    getRawInput: async () => (input === undefined ? {} : input), // null is a body, and not an object
    signal: undefined,
    batchIndex: 0,
  });

/** Plain HTTP: `GET /api/<query>?…` and `POST /api/<mutation>` with a JSON body. */
export function plainRoutes(
  app: FastifyInstance,
  endpoints: ReadonlyMap<string, Endpoint>,
  createContext: CreateContext,
): void {
  async function read(request: FastifyRequest, reply: FastifyReply, endpoint: Endpoint) {
    ifMatchOf(request, endpoint);
    const input = inputOf(request, endpoint);
    const data = await callPlain(
      endpoint,
      await createContext(request, reply, endpoint.prospectOf(input)),
      input,
    );
    // Its type wants an object; it takes whatever the schema is of.
    const body = reply.serializeInput(data as Record<string, unknown>, endpoint.answerSchema());
    if (endpoint.readsOne && tagAnswer(request, reply, endpoint, data, body)) {
      return reply.code(304).header('cache-control', 'no-store').send();
    }
    return sendAnswer(reply, { status: 200, body });
  }

  async function change(request: FastifyRequest, reply: FastifyReply, endpoint: Endpoint) {
    const key = idempotencyKeyOf(request);
    const ifMatch = ifMatchOf(request, endpoint);
    const input = inputOf(request, endpoint);
    const caller = { ...(await createContext(request, reply, endpoint.prospectOf(input))), ifMatch };
    // Who is not signed in is refused by everything that is not public: no key is looked up for that.
    const isKeyed = key !== undefined && (caller.principal !== null || endpoint.meta.access === 'public');
    if (isKeyed) await countCall(caller, []); // a repeat, which runs nothing, is a call too
    const ctx = isKeyed ? { ...caller, callLimit: undefined } : caller;
    const run = async (deps = ctx.deps) => ({
      status: 200,
      body: toText(await callPlain(endpoint, { ...ctx, deps }, input)),
    });
    return sendAnswer(
      reply,
      isKeyed ? await answerKeyed(request, reply, key, { ctx, endpoint }, run) : await run(),
    );
  }

  const errorHandler = (error: unknown, request: FastifyRequest, reply: FastifyReply) =>
    sendError(reply, error, nameOf(request));

  app.all('/api/:procedure', { errorHandler }, async (request, reply) => {
    const endpoint = endpoints.get(nameOf(request));
    if (endpoint === undefined) throw notFound('Procedure');
    requireMethod(request, reply, endpoint.method);
    return endpoint.type === 'query' ? read(request, reply, endpoint) : change(request, reply, endpoint);
  });
}
