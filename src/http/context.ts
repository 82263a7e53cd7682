import type { FastifyReply, FastifyRequest } from 'fastify';
import ipaddr from 'ipaddr.js';
import type { Context } from '../api/context.ts';
import { readSessionToken } from '../auth/cookie.ts';
import type { KeyUsage } from '../auth/key-usage.ts';
import { principalOfKey, principalOfSession } from '../auth/principal.ts';
import type { Deps, RateLimiter } from '../domain/deps.ts';
import type { Origin, Principal } from '../domain/principal.ts';
import { unauthorized } from '../kernel/errors.ts';
import { requireTrustedOrigin } from './origin.ts';

export type ContextOptions = {
  deps: Deps;
  rateLimiter: RateLimiter;
  keyUsage: KeyUsage;
  cookieName: string;
  trustedOrigins: ReadonlySet<string>;
};

export type CreateContext = (request: FastifyRequest, reply: FastifyReply) => Promise<Context>;

const MAX_KEY_LENGTH = 256;
const MAX_USER_AGENT_LENGTH = 512;

/** Where a request comes from; the address is the proxy's word only where the proxy is trusted. */
export const originOf = (request: FastifyRequest): Origin => ({
  ipAddress: request.ip,
  userAgent: request.headers['user-agent']?.slice(0, MAX_USER_AGENT_LENGTH) ?? null,
  requestId: request.id,
});

/** An IPv6 client holds a /64 or more, so all of that counts as one. */
export function clientKeyOf(address: string): string {
  if (!ipaddr.isValid(address)) return address;
  const parsed = ipaddr.process(address);
  return parsed instanceof ipaddr.IPv6
    ? parsed.parts
        .slice(0, 4)
        .map((part) => part.toString(16))
        .join(':')
    : parsed.toString();
}

/** Finds out once for each HTTP request who is calling. A bad key is refused; a stale cookie is nobody. */
export function contextFactory(options: ContextOptions): CreateContext {
  const { deps, rateLimiter, keyUsage, cookieName, trustedOrigins } = options;

  async function principalOf(request: FastifyRequest, origin: Origin): Promise<Principal | null> {
    const key = request.headers['x-api-key'];
    if (key !== undefined) {
      if (typeof key !== 'string' || key.length > MAX_KEY_LENGTH) {
        throw unauthorized('api_key_invalid', 'This API key is unknown or was revoked.');
      }
      return principalOfKey(deps.db, keyUsage, key, deps.now(), origin);
    }
    const token = readSessionToken(request.headers.cookie, cookieName, deps.rules.secret);
    if (token === undefined) return null;
    if (request.method !== 'GET' && request.method !== 'HEAD') requireTrustedOrigin(request, trustedOrigins);
    return principalOfSession(deps.db, token, deps.now(), origin);
  }

  return async (request, reply) => {
    const origin = originOf(request);
    return {
      deps,
      rateLimiter,
      principal: await principalOf(request, origin),
      origin,
      clientKey: clientKeyOf(request.ip),
      setHeader: (name, value) => {
        reply.header(name, value);
      },
    };
  };
}
