import { getTRPCErrorShape, TRPCError, transformTRPCResponse } from '@trpc/server';
import { fastifyRequestHandler } from '@trpc/server/adapters/fastify';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Context } from '../api/context.ts';
import { describeError } from '../api/errors.ts';
import { appRouter } from '../api/root.ts';
import { bareOrSuperjson } from '../api/transformer.ts';
import { badRequest } from '../kernel/errors.ts';
import type { CreateContext } from './context.ts';
import { parseJson } from './json.ts';
import type { Endpoint } from './procedures.ts';
import { logFailure, sendError, sendJson, toTRPCError } from './wire.ts';

const MAX_BATCH = 10;
const config = appRouter._def._config;

type Query = { batch?: string; input?: string };
type Answer = { status: number; body: object };

/** Streamed batches and subscriptions speak more of the protocol than plain calls; tRPC's own adapter answers them. */
const needsAdapter = (request: FastifyRequest): boolean =>
  request.headers['trpc-accept'] !== undefined ||
  request.headers.accept?.includes('text/event-stream') === true;

/** The inputs of the calls as they came: JSON text of `input` for queries, the body for mutations. */
function rawInputs(request: FastifyRequest, query: Query, isBatch: boolean): (index: number) => unknown {
  const json =
    request.method === 'POST' ? request.body : query.input === undefined ? undefined : parseJson(query.input);
  if (!isBatch) return () => json;
  if (json === undefined || json === null) return () => undefined;
  if (typeof json !== 'object' || Array.isArray(json)) {
    throw badRequest('input', 'malformed_batch', 'The input of a batch is an object by call number.');
  }
  const byIndex = new Map(Object.entries(json));
  return (index) => byIndex.get(String(index));
}

function readInput(raw: unknown): unknown {
  try {
    return bareOrSuperjson.input.deserialize(raw);
  } catch (cause) {
    throw new TRPCError({ code: 'BAD_REQUEST', message: 'The input is not valid superjson.', cause });
  }
}

/**
 * tRPC 11 over HTTP. Plain and batched JSON calls are answered here, straight from the procedure: tRPC's adapters
 * cost more than the rest of the request (see the performance table in the README).
 */
export function trpcRoutes(
  app: FastifyInstance,
  endpoints: ReadonlyMap<string, Endpoint>,
  createContext: CreateContext,
): void {
  function failure(
    reply: FastifyReply,
    cause: unknown,
    path: string,
    ctx: Context | undefined,
    endpoint?: Endpoint,
  ): Answer {
    const error = toTRPCError(cause);
    const { httpStatus, retryAfter } = describeError(error);
    if (httpStatus >= 500) logFailure(reply, error, path);
    if (retryAfter !== undefined) reply.header('retry-after', retryAfter);
    const shape = getTRPCErrorShape({
      config,
      error,
      type: endpoint?.type ?? 'unknown',
      path,
      input: undefined,
      ctx,
    });
    return { status: httpStatus, body: transformTRPCResponse(config, { error: shape }) };
  }

  async function callOne(
    request: FastifyRequest,
    reply: FastifyReply,
    ctx: Context,
    path: string,
    index: number,
    rawInput: (index: number) => unknown,
  ): Promise<Answer> {
    const endpoint = endpoints.get(path);
    try {
      if (endpoint === undefined) {
        throw new TRPCError({ code: 'NOT_FOUND', message: 'Procedure not found.' });
      }
      if (request.method !== endpoint.method) {
        throw new TRPCError({ code: 'METHOD_NOT_SUPPORTED', message: `Use ${endpoint.method}.` });
      }
      const data = await endpoint.call({
        ctx,
        path,
        type: endpoint.type,
        getRawInput: async () => readInput(rawInput(index)),
        signal: undefined,
        batchIndex: index,
      });
      return { status: 200, body: transformTRPCResponse(config, { result: { data } }) };
    } catch (error) {
      return failure(reply, error, path, ctx, endpoint);
    }
  }

  app.route({
    method: ['GET', 'POST'],
    url: '/api/trpc/:path',
    async handler(request, reply) {
      const { path } = request.params as { path: string };
      const query = request.query as Query;
      const isBatch = query.batch === '1';
      const paths = isBatch ? path.split(',', MAX_BATCH + 1) : [path];
      if (paths.length > MAX_BATCH) {
        const error = new TRPCError({
          code: 'BAD_REQUEST',
          message: `A batch has at most ${MAX_BATCH} calls.`,
        });
        const { status, body } = failure(reply, error, 'batch', undefined);
        return sendJson(reply.code(status), [body]);
      }
      if (needsAdapter(request)) {
        return fastifyRequestHandler({
          router: appRouter,
          createContext: () => createContext(request, reply),
          req: request,
          res: reply,
          path,
          maxBatchSize: MAX_BATCH,
          onError: ({ error, path: name }) => {
            if (describeError(error).httpStatus >= 500) logFailure(reply, error, name ?? path);
          },
        });
      }
      let answers: Answer[];
      try {
        const rawInput = rawInputs(request, query, isBatch);
        const ctx = await createContext(request, reply);
        answers = await Promise.all(
          paths.map((name, index) => callOne(request, reply, ctx, name, index, rawInput)),
        );
      } catch (error) {
        answers = paths.map((name) => failure(reply, error, name, undefined, endpoints.get(name)));
      }
      const [first] = answers;
      if (first === undefined) return sendError(reply, new Error('no call'), path);
      const same = answers.every(({ status }) => status === first.status);
      reply.code(same ? first.status : 207).header('vary', 'trpc-accept');
      return sendJson(reply, isBatch ? answers.map(({ body }) => body) : first.body);
    },
  });
}
