import { getTRPCErrorShape, TRPCError, transformTRPCResponse } from '@trpc/server';
import { fastifyRequestHandler } from '@trpc/server/adapters/fastify';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Context } from '../api/context.ts';
import { describeError } from '../api/errors.ts';
import { appRouter } from '../api/root.ts';
import { bareOrSuperjson } from '../api/transformer.ts';
import { NO_PROSPECT, type Prospect } from '../domain/place.ts';
import { badRequest, notFound } from '../kernel/errors.ts';
import type { CreateContext } from './context.ts';
import { refuseIfMatch } from './etag.ts';
import { refuseIdempotencyKey } from './idempotency.ts';
import { checkJson, parseJson } from './json.ts';
import { methodOf, requireMethod } from './methods.ts';
import type { Endpoint } from './procedures.ts';
import { bare, readInput } from './superjson.ts';
import { logFailure, prepareFailure, sendJson, toTRPCError } from './wire.ts';

const MAX_BATCH = 10;
const config = appRouter._def._config;

type Query = { batch?: string; input?: string };
type Answer = { status: number; body: object };

/** The router as tRPC's own adapter gets it: input is read as strictly as we read it. */
const strictRouter = {
  ...appRouter,
  _def: {
    ...appRouter._def,
    _config: {
      ...config,
      transformer: {
        input: {
          serialize: bareOrSuperjson.input.serialize,
          deserialize(raw: unknown) {
            checkJson(raw);
            return readInput(raw);
          },
        },
        output: bareOrSuperjson.output,
      },
    },
  },
} as typeof appRouter;

/** Streamed batches and subscriptions speak more of the protocol than plain calls; tRPC's own adapter answers them. */
const needsAdapter = ({ method, headers }: FastifyRequest): boolean =>
  method !== 'HEAD' &&
  (headers['trpc-accept'] !== undefined ||
    /application\/jsonl|text\/event-stream/.test(headers.accept ?? ''));

/** The inputs of the calls as they came: JSON text of `input` for queries, the body for mutations. */
function rawInputs(request: FastifyRequest): (index: number) => unknown {
  const { input } = request.query as Query;
  const json = request.method === 'POST' ? request.body : input === undefined ? undefined : parseJson(input);
  if (!isBatch(request)) return () => json;
  if (json === undefined) return () => undefined;
  if (typeof json !== 'object' || json === null || Array.isArray(json)) {
    throw badRequest('input', 'malformed_batch', 'The input of a batch is an object by call number.');
  }
  const byIndex = new Map(Object.entries(json));
  return (index) => byIndex.get(String(index));
}

function failure(reply: FastifyReply, thrown: unknown, path: string): Answer {
  const { error, description } = prepareFailure(reply, thrown, path);
  const shape = getTRPCErrorShape({ config, error, type: 'unknown', path, input: undefined, ctx: undefined });
  return { status: description.httpStatus, body: transformTRPCResponse(config, { error: shape }) };
}

/** Answers with one error, which a client takes as the answer to each call of a batch. */
function sendFailure(reply: FastifyReply, thrown: unknown, path: string): FastifyReply {
  const { status, body } = failure(reply, thrown, path);
  return sendJson(reply.code(status), body);
}

const pathOf = (request: FastifyRequest) => (request.params as { path: string }).path;
const isBatch = (request: FastifyRequest) => (request.query as Query).batch === '1';

/** The calls of a batch share their headers, where a cursor would not say of which list it is. */
const withoutCursor = (ctx: Context): Context => ({
  ...ctx,
  setHeader: (name, value) => {
    if (name !== 'x-next-cursor') ctx.setHeader(name, value);
  },
});

/**
 * tRPC 11 over HTTP. Plain and batched JSON calls are answered here, straight from the procedure: tRPC's adapters
 * cost more than the rest of the request (see the performance table in the README).
 */
export function trpcRoutes(
  app: FastifyInstance,
  endpoints: ReadonlyMap<string, Endpoint>,
  createContext: CreateContext,
): void {
  /** What the calls of a request are going to ask: a batch has one caller, and mostly happens in one organization. */
  function prospectOf(paths: readonly string[], rawInput: (index: number) => unknown): Prospect {
    const prospects = paths.map((path, index) => endpoints.get(path)?.prospectOf(bare(rawInput(index))));
    return {
      place: prospects.find((one) => one?.place)?.place ?? null,
      settings: prospects.some((one) => one?.settings),
    };
  }

  async function contextOf(
    request: FastifyRequest,
    reply: FastifyReply,
    paths: readonly string[],
    prospect: Prospect,
  ): Promise<Context> {
    const ctx = await createContext(request, reply, prospect);
    return paths.length > 1 ? withoutCursor(ctx) : ctx;
  }

  async function callOne(
    request: FastifyRequest,
    reply: FastifyReply,
    ctx: Context,
    path: string,
    index: number,
    rawInput: (index: number) => unknown,
  ): Promise<Answer> {
    try {
      const endpoint = endpoints.get(path);
      if (endpoint === undefined) throw notFound('Procedure');
      requireMethod(request, reply, endpoint.method);
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
      return failure(reply, error, path);
    }
  }

  const answerByAdapter = (request: FastifyRequest, reply: FastifyReply, path: string, paths: string[]) =>
    fastifyRequestHandler({
      router: strictRouter,
      createContext: () =>
        contextOf(request, reply, paths, NO_PROSPECT).catch((error: unknown) => {
          throw toTRPCError(error);
        }),
      req: request,
      res: reply.header('cache-control', 'no-store'),
      path,
      maxBatchSize: MAX_BATCH,
      onError: ({ error, path: name }) => {
        if (describeError(error).httpStatus >= 500) logFailure(reply, error, name ?? path);
      },
    });

  const errorHandler = (error: unknown, request: FastifyRequest, reply: FastifyReply) =>
    sendFailure(reply, error, isBatch(request) ? 'batch' : pathOf(request));

  app.all('/api/trpc/:path', { errorHandler }, async (request, reply) => {
    const path = pathOf(request);
    if (!['GET', 'POST'].includes(methodOf(request))) {
      reply.header('allow', 'GET, HEAD, POST');
      throw new TRPCError({ code: 'METHOD_NOT_SUPPORTED', message: 'Use GET or POST.' });
    }
    if (methodOf(request) === 'POST') refuseIdempotencyKey(request, 'Calls over tRPC');
    refuseIfMatch(request);
    const paths = isBatch(request) ? path.split(',', MAX_BATCH + 1) : [path];
    if (paths.length > MAX_BATCH) {
      throw badRequest('batch', 'batch_too_large', `A batch has at most ${MAX_BATCH} calls.`);
    }
    if (needsAdapter(request)) return answerByAdapter(request, reply, path, paths);
    let answers: Answer[];
    try {
      const rawInput = rawInputs(request);
      const ctx = await contextOf(request, reply, paths, prospectOf(paths, rawInput));
      answers = await Promise.all(
        paths.map((name, index) => callOne(request, reply, ctx, name, index, rawInput)),
      );
    } catch (error) {
      answers = paths.map((name) => failure(reply, error, name));
    }
    const statuses = new Set(answers.map(({ status }) => status));
    const [status = 500] = statuses;
    const bodies = answers.map(({ body }) => body);
    return sendJson(reply.code(statuses.size > 1 ? 207 : status), isBatch(request) ? bodies : bodies[0]);
  });
}
