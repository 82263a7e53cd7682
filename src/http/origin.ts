import type { FastifyRequest } from 'fastify';
import { forbidden } from '../kernel/errors.ts';

/**
 * A browser names the page that sent a request. One that a cookie authorises, or that sets one, must come from a
 * trusted page; programs that send no Origin are not browsers and carry no stolen cookie.
 *
 * @throws FORBIDDEN for any other page.
 */
export function requireTrustedOrigin(request: FastifyRequest, trusted: ReadonlySet<string>): void {
  const { origin } = request.headers;
  if (origin !== undefined && !trusted.has(origin)) {
    throw forbidden('origin_not_trusted', 'This page may not send requests with your session.');
  }
}
