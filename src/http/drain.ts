import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';

/**
 * Lets `app.close()` end with the last request. Node would wait for more: for connections that are kept alive after
 * their last answer, and for those that never sent anything, whose time limits it no longer checks.
 */
export function endWithLastRequest(app: FastifyInstance): void {
  const unanswered = new Map<Socket, Set<ServerResponse>>();
  let isClosing = false;
  const endIdle = () => {
    for (const [socket, responses] of unanswered) if (responses.size === 0) socket.destroySoon();
  };

  app.server.on('connection', (socket: Socket) => {
    unanswered.set(socket, new Set());
    socket.once('close', () => unanswered.delete(socket));
  });
  app.server.on('request', ({ socket }, response) => {
    const responses = unanswered.get(socket);
    responses?.add(response);
    response.once('close', () => {
      responses?.delete(response);
      if (isClosing) endIdle();
    });
  });
  app.addHook('preClose', (done) => {
    isClosing = true;
    for (const response of [...unanswered.values()].flatMap((responses) => [...responses])) {
      if (!response.headersSent) response.setHeader('connection', 'close');
    }
    setImmediate(endIdle); // by then nobody can connect any more
    done();
  });
}
