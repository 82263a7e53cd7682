import { isIPv4 } from 'node:net';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Context } from '../api/context.ts';
import { countCall } from '../api/rate-limits.ts';
import type { Identity } from '../auth/better-auth.ts';
import { readSignedCookie } from '../auth/cookie.ts';
import type { keyReader, sessionReader } from '../auth/principal.ts';
import type { Deps, RateLimit, RateLimiter } from '../domain/deps.ts';
import { NO_PROSPECT, type Prospect } from '../domain/place.ts';
import type { Origin, Principal } from '../domain/principal.ts';
import { DomainError, unauthorized } from '../kernel/errors.ts';
import { canonicalAddress, clientOf } from '../kernel/networks.ts';
import { requireTrustedOrigin } from './origin.ts';

export type ContextOptions = {
  deps: Deps;
  rateLimiter: RateLimiter;
  /** Of all calls of one caller together; undefined where it is switched off. */
  callLimit: RateLimit | undefined;
  principalOfKey: ReturnType<typeof keyReader>;
  principalOfSession: ReturnType<typeof sessionReader>;
  identity: Identity;
  trustedOrigins: ReadonlySet<string>;
};

/** Makes the context of a call; `prospect` is what it is going to ask of its caller. */
export type CreateContext = (
  request: FastifyRequest,
  reply: FastifyReply,
  prospect: Prospect,
) => Promise<Context>;

export type RequestOrigin = Origin & { ipAddress: string };

const MAX_KEY_LENGTH = 256;
const MAX_USER_AGENT_LENGTH = 512;

/** Of a connection that is gone already. */
const NO_ADDRESS = '0.0.0.0';

/** Where a proxy names what is no address, the proxy itself is the client. */
const addressOf = ({ ip, socket }: FastifyRequest): string =>
  isIPv4(ip)
    ? ip
    : (canonicalAddress(ip ?? '') ?? canonicalAddress(socket.remoteAddress ?? '') ?? NO_ADDRESS);

/** Where a request comes from; the address is the proxy's word only where the proxy is trusted. */
export const originOf = (request: FastifyRequest): RequestOrigin => ({
  ipAddress: addressOf(request),
  userAgent: request.headers['user-agent']?.slice(0, MAX_USER_AGENT_LENGTH) ?? null,
  requestId: request.id,
});

/** Who the session cookie of a request stands for; a stale one is nobody. */
export type ReadPrincipal = (
  request: FastifyRequest,
  origin: Origin,
  prospect?: Prospect,
) => Promise<Principal | null>;

export function principalReader(options: ContextOptions): ReadPrincipal {
  const { deps, principalOfSession, identity, trustedOrigins } = options;
  return async (request, origin, prospect = NO_PROSPECT) => {
    const token = readSignedCookie(request.headers.cookie, identity.sessionCookie.name, deps.rules.secret);
    if (token === undefined) return null;
    if (request.method !== 'GET' && request.method !== 'HEAD') requireTrustedOrigin(request, trustedOrigins);
    return principalOfSession(token, { now: deps.now(), origin, prospect });
  };
}

/**
 * Finds out once for each HTTP request who is calling. A key that is refused, for whatever reason, is counted as a call
 * of nobody; a stale cookie is nobody.
 */
export function contextFactory(options: ContextOptions): CreateContext {
  const { deps, rateLimiter, callLimit, principalOfKey, identity } = options;
  const principalOfCookie = principalReader(options);

  async function principalOf(
    request: FastifyRequest,
    origin: Origin,
    prospect: Prospect,
  ): Promise<Principal | null> {
    const key = request.headers['x-api-key'];
    if (key === undefined) return principalOfCookie(request, origin, prospect);
    if (typeof key !== 'string' || key.length > MAX_KEY_LENGTH) {
      throw unauthorized('api_key_invalid', 'This API key is unknown or was revoked.');
    }
    return principalOfKey(key, { now: deps.now(), origin, prospect });
  }

  return async (request, reply, prospect) => {
    const origin = originOf(request);
    const context: Context = {
      deps,
      rateLimiter,
      callLimit,
      principal: null,
      origin,
      clientKey: clientOf(origin.ipAddress),
      isForm: false,
      takesLines: false,
      ifMatch: undefined,
      setHeader: (name, value) => {
        reply.header(name, value);
      },
      clearSessionCookie: () => {
        reply.header('set-cookie', identity.sessionCookie.cleared);
      },
    };
    try {
      context.principal = await principalOf(request, origin, prospect);
    } catch (error) {
      if (error instanceof DomainError) await countCall(context, []);
      throw error;
    }
    return context;
  };
}
