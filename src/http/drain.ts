import type { FastifyInstance } from 'fastify';
import type { Pending } from './pending.ts';

/** How long what was accepted may take to be finished, in ms. */
const PATIENCE_MS = 10_000;

/**
 * Lets `app.close()` end with the last request, or when its patience ends: what is not answered then never is. Node would
 * wait for more: for connections that are kept alive after their last answer, and for those that never sent anything, whose
 * time limits it no longer checks.
 */
export function endWithLastRequest(app: FastifyInstance, pending: Pending, patienceMs = PATIENCE_MS): void {
  let isClosing = false;
  const endIdle = () => {
    for (const socket of pending.sockets()) {
      // One that is ending already would get a listener more each time.
      if (pending.of(socket).length === 0 && socket.writable) socket.destroySoon();
    }
  };

  pending.onAnswered(() => {
    if (isClosing) endIdle();
  });
  app.addHook('preClose', (done) => {
    isClosing = true;
    for (const response of [...pending.sockets()].flatMap((socket) => pending.of(socket))) {
      if (!response.headersSent) response.setHeader('connection', 'close');
    }
    setImmediate(endIdle); // by then nobody can connect any more
    const timer = setTimeout(() => {
      for (const socket of pending.sockets()) socket.destroy();
    }, patienceMs);
    app.server.once('close', () => clearTimeout(timer));
    done();
  });
}
