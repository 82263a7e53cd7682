import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { Pending } from './pending.ts';

const STATUS: Record<string, number> = { HPE_HEADER_OVERFLOW: 431, ERR_HTTP_REQUEST_TIMEOUT: 408 };

function refusal({ code = '' }: NodeJS.ErrnoException): string {
  const status = STATUS[code] ?? 400;
  const body = JSON.stringify({
    message: 'The request is malformed.',
    code: 'PARSE_ERROR',
    data: { code: 'PARSE_ERROR', httpStatus: status, path: '', reason: 'malformed_request' },
  });
  return (
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nContent-Type: application/json; charset=utf-8\r\n` +
    `Content-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`
  );
}

/**
 * What is not even HTTP gets an answer too, and the connection ends. A refusal is sent only where an answer is due, or it
 * would be taken for that of another request: after those of the requests before, and not for the rest of a body that did
 * not have to be read.
 */
export function answerUnreadable(error: NodeJS.ErrnoException, socket: Socket, pending: Pending): void {
  if (error.code === 'ECONNRESET' || socket.destroyed) return;
  const newest = pending.newest(socket);
  const broken = newest?.req.complete === false ? newest : undefined;
  const end = () => {
    if (!socket.writable) return; // the answer before was the last that was asked for
    if (!broken?.headersSent) socket.write(refusal(error));
    socket.end();
  };
  const before = pending.of(socket).findLast((response) => response !== broken);
  if (before === undefined) {
    end();
    return;
  }
  socket.pause(); // nothing that follows is a request
  before.once('close', end);
}
