import { TRPCError } from '@trpc/server';
import type { FastifyRequest } from 'fastify';
import { badRequest } from '../kernel/errors.ts';

/** A name or an address, and a port (RFC 3986, 3.2); it may be empty. */
const HOST = /^(?:\[[\da-f:.]+\]|[\w.~!$&'()*+,;=%-]*)(?::\d*)?$/i;

/**
 * Refuses what the parser lets through although it is not HTTP/1 as it should be. Nothing here depends on the Host, but
 * whatever stands in front of us may have chosen its way by another one than we would read (RFC 9112, 3.2).
 *
 * @throws BAD_REQUEST
 */
export function requireProperHead({ raw }: FastifyRequest): void {
  if (raw.httpVersionMajor > 1) {
    throw new TRPCError({ code: 'PARSE_ERROR', message: 'The request is malformed.' });
  }
  const hosts = raw.rawHeaders.filter((name, i) => i % 2 === 0 && name.toLowerCase() === 'host');
  if (hosts.length > 1 || !HOST.test(raw.headers.host ?? '')) {
    throw badRequest(
      'host',
      'invalid_host',
      'Send one Host header: a name or an address, and perhaps a port.',
    );
  }
}
