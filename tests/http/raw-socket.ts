import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

export function openSocket(baseUrl: string): Socket {
  const { hostname, port } = new URL(baseUrl);
  return connect(Number(port), hostname);
}

/**
 * Sends bytes as they are and resolves with everything that came back before the server ended the connection. With
 * `thenEnd` our side ends it right after the bytes.
 */
export async function sendRaw(
  baseUrl: string,
  bytes: string | Buffer,
  options: { thenEnd?: boolean } = {},
): Promise<string> {
  const socket = openSocket(baseUrl);
  const received: Buffer[] = [];
  socket.on('data', (chunk) => received.push(chunk));
  socket.on('error', () => {}); // a reset is an end too; the test sees what had come before it
  if (options.thenEnd) socket.end(bytes);
  else socket.write(bytes);
  await once(socket, 'close');
  return Buffer.concat(received).toString('latin1');
}
