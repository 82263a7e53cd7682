import { Readable } from 'node:stream';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { LINES_TYPE, Lines } from '../api/lines.ts';
import type { CreateContext } from './context.ts';
import { requireMethod } from './methods.ts';
import { callPlain, inputOf } from './plain.ts';
import type { Endpoint } from './procedures.ts';
import { logFailure, sendError, toTRPCError } from './wire.ts';

/** In milliseconds. */
const TIMES = {
  /** For an answer as a whole. */
  whole: 60 * 60 * 1000,
  /** Without a byte taken by the reader. */
  stalled: 60_000,
  /** For answers that are being sent when the service stops. */
  drain: 5_000,
};

/**
 * Plain HTTP for procedures that answer in lines of JSON: `GET /api/<query>?…`. The next lines are made when the reader
 * has taken the ones before. What fails on the way destroys the connection, so nobody takes a part for the whole.
 */
export function streamRoutes(
  app: FastifyInstance,
  endpoints: ReadonlyMap<string, Endpoint>,
  createContext: CreateContext,
): void {
  const running = new Set<Readable>();
  app.addHook('preClose', (done) => {
    setTimeout(() => {
      for (const stream of running) stream.destroy(new Error('The service stops.'));
    }, TIMES.drain).unref();
    done();
  });

  function send(reply: FastifyReply, chunks: AsyncIterable<string>, name: string): FastifyReply {
    const stream = Readable.from(chunks);
    running.add(stream);
    stream.once('error', (error) => {
      // Before the first line it is answered, and logged, as any failure.
      if (reply.raw.headersSent) logFailure(reply, toTRPCError(error), name);
    });
    stream.once('close', () => {
      running.delete(stream);
      if (!stream.readableEnded) reply.log.info({ path: name }, 'answered in part'); // fastify says nothing then
    });
    reply.raw.setTimeout(TIMES.stalled, () => reply.raw.destroy());
    return reply.send(stream);
  }

  async function answer(request: FastifyRequest, reply: FastifyReply, endpoint: Endpoint) {
    requireMethod(request, reply, endpoint.method);
    const input = inputOf(request, endpoint);
    const ctx = await createContext(request, reply, endpoint.prospectOf(input));
    const result = await callPlain(endpoint, { ...ctx, takesLines: true }, input);
    if (!(result instanceof Lines)) throw new Error(`${endpoint.name} does not answer in lines.`);
    reply.header('content-type', `${LINES_TYPE}; charset=utf-8`).header('cache-control', 'no-store');
    // How long it would be nobody knows yet, so HEAD says no length: that of an empty text would be a wrong one.
    return request.method === 'HEAD' ? reply.send() : send(reply, result.chunks, endpoint.name);
  }

  for (const endpoint of endpoints.values()) {
    if (endpoint.meta.lines !== true) continue;
    app.all(
      `/api/${endpoint.name}`,
      {
        handlerTimeout: TIMES.whole,
        errorHandler: (error, _request, reply) => sendError(reply, error, endpoint.name),
      },
      (request, reply) => answer(request, reply, endpoint),
    );
  }
}
