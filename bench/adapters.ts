import { createServer, type IncomingMessage } from 'node:http';
import { nodeHTTPRequestHandler } from '@trpc/server/adapters/node-http';
import { createOpenApiHttpHandler, type OpenApiRouter } from 'trpc-to-openapi';
import type { Context } from '../src/api/context.ts';
import { appRouter } from '../src/api/root.ts';
import { readSignedCookie } from '../src/auth/cookie.ts';
import { keyReader, sessionReader } from '../src/auth/principal.ts';
import { createKeyUsage, createSessionUsage } from '../src/auth/usage.ts';
import { readConfig } from '../src/config.ts';
import { openDatabase } from '../src/database.ts';
import { createDeps } from '../src/deps.ts';
import { NO_PROSPECT } from '../src/domain/place.ts';
import type { Principal } from '../src/domain/principal.ts';
import { createMemoryRateLimiter } from '../src/platform/rate-limiter.ts';

/*
 * The service's own procedures, and its own way to find the caller, behind the adapters that come with tRPC and
 * trpc-to-openapi: plain HTTP at /api, tRPC at /api/trpc.
 */

const config = readConfig(process.env);
const { database } = await openDatabase({ url: config.databaseUrl ?? '', stop: async () => {} }, 10);
const deps = await createDeps(config, database);
const rateLimiter = createMemoryRateLimiter();
const principalOfKey = keyReader(database, createKeyUsage(database));
const principalOfSession = sessionReader(database, createSessionUsage(database));
const ORIGIN = { ipAddress: '127.0.0.1', userAgent: null, requestId: null };

/** The adapters give node's request, or one of the Fetch API. */
type Received = { headers: IncomingMessage['headers'] | Headers };

async function principalOf({ headers: received }: Received): Promise<Principal | null> {
  const headers = received instanceof Headers ? Object.fromEntries(received) : received;
  const key = headers['x-api-key'];
  const call = { now: deps.now(), origin: ORIGIN, prospect: NO_PROSPECT };
  if (typeof key === 'string') return principalOfKey(key, call);
  const token = readSignedCookie(headers.cookie, 'better-auth.session_token', deps.rules.secret);
  if (token === undefined) return null;
  return principalOfSession(token, call);
}

const createContext = async ({ req }: { req: Received }): Promise<Context> => ({
  deps,
  rateLimiter,
  callLimit: undefined,
  principal: await principalOf(req),
  origin: ORIGIN,
  clientKey: '127.0.0.1',
  isForm: false,
  takesLines: false,
  ifMatch: undefined,
  setHeader: () => {},
  clearSessionCookie: () => {},
});

/** The queries as trpc-to-openapi wants them: with where they are, and an input that is an object. */
const procedures = Object.fromEntries(
  Object.entries(
    appRouter._def.procedures as unknown as Record<string, { _def: { type: string; meta: object } }>,
  )
    .filter(([name]) => name === 'organization.all')
    .map(([name, procedure]) => {
      Object.assign(procedure._def.meta, { openapi: { method: 'GET', path: `/${name}` } });
      return [name, procedure];
    }),
);
const answerPlain = createOpenApiHttpHandler({
  router: { ...appRouter, _def: { ...appRouter._def, procedures } } as unknown as OpenApiRouter,
  createContext: createContext as never,
});

const TRPC = '/api/trpc/';

createServer(async (request, response) => {
  const { url = '' } = request;
  if (url === '/health') {
    response.end('{}');
  } else if (url.startsWith(TRPC)) {
    const path = url.slice(TRPC.length).split('?')[0] ?? '';
    await nodeHTTPRequestHandler({ router: appRouter, createContext, req: request, res: response, path });
  } else {
    request.url = url.replace(/^\/api/, '');
    await answerPlain(request, response);
  }
}).listen(config.port, '127.0.0.1');
