import type { FastifyInstance } from 'fastify';
import { unavailable } from '../kernel/errors.ts';

/**
 * Answers 503 to whatever has not begun to be answered after `ms` milliseconds. fastify's own `handlerTimeout` is none for
 * requests with a body: its clock stops when Node closes the request, which is as soon as the body has been read.
 */
export function limitTime(app: FastifyInstance, ms: number): void {
  app.addHook('onRequest', (_request, reply, done) => {
    const timer = setTimeout(() => {
      if (!reply.sent && !reply.raw.headersSent) {
        reply.send(unavailable('timeout', 'This took too long. Try again.'));
      }
    }, ms);
    reply.raw.once('close', () => clearTimeout(timer));
    done();
  });
}
