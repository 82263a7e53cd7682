import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

export type Got = { headers: IncomingHttpHeaders; body: string; path: string; method: string };
/** Answers a request, or does not. */
export type Answer = (response: ServerResponse, got: Got) => void;

export const status =
  (code: number, headers: Record<string, string> = {}, body = ''): Answer =>
  (response) =>
    response.writeHead(code, headers).end(body);
/** Says nothing, ever. */
export const stall: Answer = () => {};
/** Hangs up without an answer. */
export const drop: Answer = (response) => response.socket?.destroy();

/** A receiver of webhooks on a loopback port, which can go down and come back. */
export async function createReceiver() {
  const got: Got[] = [];
  const sockets = new Set<Socket>();
  let answer: Answer = status(204);
  let port = 0;
  let connections = 0;
  let server: Server;

  async function up(): Promise<void> {
    server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request
        .on('data', (chunk: Buffer) => chunks.push(chunk))
        .on('end', () => {
          const { headers, url: path = '', method = '' } = request;
          const entry = { headers, path, method, body: Buffer.concat(chunks).toString() };
          got.push(entry);
          answer(response, entry);
        });
    });
    server.on('connection', (socket) => {
      connections += 1;
      sockets.add(socket);
      socket.on('close', () => sockets.delete(socket));
    });
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    ({ port } = server.address() as AddressInfo);
  }
  async function down(): Promise<void> {
    for (const socket of sockets) socket.destroy();
    if (!server.listening) return;
    server.close();
    await once(server, 'close');
  }
  await up();

  return {
    got,
    port,
    url: `http://127.0.0.1:${port}/hook`,
    up,
    down,
    connections: () => connections,
    answers(next: Answer) {
      answer = next;
    },
    [Symbol.asyncDispose]: down,
  };
}
export type Receiver = Awaited<ReturnType<typeof createReceiver>>;
