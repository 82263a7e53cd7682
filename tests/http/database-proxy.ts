import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { createDatabase } from '../support/database.ts';

/** A migrated database behind a proxy that can lose it, as a network does. */
export async function createProxiedDatabase() {
  const database = await createDatabase('migrated');
  const target = new URL(database.url);
  const sockets = new Set<Socket>();
  let fatal: { text: string; how: 'close' | 'reset' } | undefined;

  /** Ends the connection that is about to send the fatal text; the next one may send it. */
  const watch = (inner: Socket) =>
    inner.on('data', (chunk: Buffer) => {
      if (fatal === undefined || !chunk.includes(fatal.text)) return;
      if (fatal.how === 'reset') inner.resetAndDestroy();
      else inner.destroy();
      fatal = undefined;
    });

  const accept = (inner: Socket) => {
    const outer = connect(Number(target.port), target.hostname);
    for (const [socket, other] of [
      [inner, outer],
      [outer, inner],
    ] as const) {
      sockets.add(socket);
      socket.on('error', () => other.destroy());
      socket.on('close', () => {
        sockets.delete(socket);
        other.destroy();
      });
    }
    watch(inner).pipe(outer).pipe(inner);
  };
  const listen = async (port: number, listener = accept): Promise<Server> => {
    const server = createServer(listener).listen(port, '127.0.0.1');
    await once(server, 'listening');
    return server;
  };

  let server = await listen(0);
  const { port } = server.address() as AddressInfo;
  const url = new URL(target);
  url.hostname = '127.0.0.1';
  url.port = String(port);
  const cut = () => {
    server.close();
    for (const socket of sockets) socket.destroy();
  };
  return {
    url: url.href,
    /** Ends every connection and takes no more. */
    cut,
    async restore() {
      server.close();
      server = await listen(port);
    },
    /** Takes connections and ends them at once, as proxies do that have nothing behind them. */
    async standEmpty() {
      cut();
      server = await listen(port, (socket) => void socket.end());
    },
    /** Ends the connection over which this text is sent next. */
    cutAt(text: string, how: 'close' | 'reset') {
      fatal = { text, how };
    },
    /** Connections stay open, and nothing passes any more. */
    freeze() {
      for (const socket of sockets) socket.unpipe().pause();
    },
    async [Symbol.asyncDispose]() {
      cut();
      await database.drop();
    },
  };
}
