import type { FastifyInstance } from 'fastify';
import type { Pending } from './pending.ts';

/**
 * Lets `app.close()` end with the last request. Node would wait for more: for connections that are kept alive after
 * their last answer, and for those that never sent anything, whose time limits it no longer checks.
 */
export function endWithLastRequest(app: FastifyInstance, pending: Pending): void {
  let isClosing = false;
  const endIdle = () => {
    for (const socket of pending.sockets()) if (pending.of(socket).length === 0) socket.destroySoon();
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
    done();
  });
}
