import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import postgres from 'postgres';
import { inject } from 'vitest';
import { TEMPLATE } from '../support/global-setup.ts';

/** A migrated database behind a proxy that can lose it, as a network does. */
export async function createProxiedDatabase() {
  const admin = postgres(inject('databaseUrl'), { max: 1, onnotice: () => {} });
  const name = `t_${randomUUID().replaceAll('-', '')}`;
  await admin.unsafe(`create database ${name} template ${TEMPLATE}`);
  const target = new URL(inject('databaseUrl'));
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
  const listen = async (port: number): Promise<Server> => {
    const server = createServer(accept).listen(port, '127.0.0.1');
    await once(server, 'listening');
    return server;
  };

  let server = await listen(0);
  const { port } = server.address() as AddressInfo;
  const url = new URL(target);
  url.hostname = '127.0.0.1';
  url.port = String(port);
  url.pathname = `/${name}`;
  const cut = () => {
    server.close();
    for (const socket of sockets) socket.destroy();
  };
  return {
    url: url.href,
    /** Ends every connection and takes no more. */
    cut,
    async restore() {
      server = await listen(port);
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
      await admin.unsafe(`drop database ${name} with (force)`);
      await admin.end();
    },
  };
}
