import type { Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

type Answers = { waiting: Set<ServerResponse>; newest?: ServerResponse };

/** The answers that each connection waits for. */
export type Pending = {
  /** Begins to watch a server. */
  watch(server: Server): void;
  sockets(): Iterable<Socket>;
  /** In the order of the requests. */
  of(socket: Socket): ServerResponse[];
  /** The answer to the newest request, which may have left before all of the request was there. */
  newest(socket: Socket): ServerResponse | undefined;
  /** Calls back whenever an answer has left, or cannot any more. */
  onAnswered(listener: () => void): void;
};

export function createPending(): Pending {
  const bySocket = new Map<Socket, Answers>();
  const listeners: (() => void)[] = [];
  return {
    watch(server) {
      server.on('connection', (socket: Socket) => {
        bySocket.set(socket, { waiting: new Set() });
        socket.once('close', () => bySocket.delete(socket));
      });
      server.on('request', ({ socket }, response) => {
        const answers = bySocket.get(socket);
        if (answers === undefined) return;
        answers.waiting.add(response);
        answers.newest = response;
        response.once('close', () => {
          answers.waiting.delete(response);
          for (const listener of listeners) listener();
        });
      });
    },
    sockets: () => bySocket.keys(),
    of: (socket) => [...(bySocket.get(socket)?.waiting ?? [])],
    newest: (socket) => bySocket.get(socket)?.newest,
    onAnswered: (listener) => void listeners.push(listener),
  };
}
