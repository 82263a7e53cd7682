import { randomUUID } from 'node:crypto';
import { IncomingMessage, type OutgoingHttpHeaders, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import cors, { type FastifyCorsOptions } from '@fastify/cors';
import { TRPCError } from '@trpc/server';
import {
  errorCodes,
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  fastify,
  LogController,
} from 'fastify';
import helmet from 'helmet';
import { appRouter } from '../api/root.ts';
import type { AuthRoute } from '../auth/route.ts';
import type { Tracing } from '../domain/tracing.ts';
import { notFound } from '../kernel/errors.ts';
import { serveAuth } from './auth.ts';
import { avatarRoutes } from './avatars.ts';
import { consoleRoutes, isOpenedByHand, sendNothing } from './console.ts';
import { type ContextOptions, contextFactory, originOf, principalReader } from './context.ts';
import { endWithLastRequest } from './drain.ts';
import { requireProperHead } from './head.ts';
import { parseJsonBody } from './json.ts';
import { methodOf, wrongMethod } from './methods.ts';
import { type OperationsOptions, operationsRoutes } from './operations.ts';
import { pageRoutes } from './pages/index.ts';
import { createPending } from './pending.ts';
import { plainRoutes } from './plain.ts';
import { endpointsOf } from './procedures.ts';
import { referenceRoutes } from './reference.ts';
import { streamRoutes } from './streams.ts';
import { limitTime } from './time-limit.ts';
import { traceRequests } from './tracing.ts';
import { trpcRoutes } from './trpc.ts';
import { answerUnreadable } from './unreadable.ts';
import { uploadRoutes } from './uploads.ts';
import { sendError } from './wire.ts';

const MEGABYTE = 1024 * 1024;
/** How long a client may take to send a request, looked at every `check`; and, from its headers on, we to answer it. */
const TIMEOUTS_MS = { headers: 10_000, check: 5_000, request: 30_000, handler: 40_000 };
/** Longer than any request line that Node takes. */
const MAX_PATH_LENGTH = 16 * 1024;

export type ServerOptions = ContextOptions &
  OperationsOptions & {
    authRoutes: ReadonlyMap<string, AuthRoute>;
    /** Whether people reach the service over https. */
    isHttps: boolean;
    corsOrigins: string[];
    trustedProxies: string[];
    /** Where the built console lies; without it, small pages stand where the links of mails lead. */
    consoleDirectory?: string | undefined;
    tracing?: Tracing | undefined;
    logger: FastifyBaseLogger;
  };

const pathOf = (url: string): string => {
  const at = url.indexOf('?');
  return at === -1 ? url : url.slice(0, at);
};

/** Whether a route's pattern has this path, as far as only its end is open. */
const leadsTo = (pattern: string, path: string): boolean =>
  pattern.endsWith('/*') ? path.startsWith(pattern.slice(0, -1)) : path === pattern;

/** A browser asking for a page of another origin; any other OPTIONS is a method like others. */
const isPreflight = ({ headers }: FastifyRequest): boolean =>
  headers.origin !== undefined && headers['access-control-request-method'] !== undefined;

/** Whether there is no body, of which some clients say that it were a form, such as axios and `curl -d ''`. */
const isEmpty = ({ headers }: FastifyRequest): boolean =>
  headers['transfer-encoding'] === undefined && (headers['content-length'] ?? '0') === '0';

/**
 * A body is read as it comes: one that is compressed is no text, and no fault of its characters (RFC 9110, 15.5.16).
 *
 * @throws UNSUPPORTED_MEDIA_TYPE
 */
function requireUncoded({ headers }: FastifyRequest): void {
  if ((headers['content-encoding'] ?? 'identity').toLowerCase() === 'identity') return;
  const message = 'Send the body as it is, without a Content-Encoding.';
  throw new TRPCError({ code: 'UNSUPPORTED_MEDIA_TYPE', message });
}

/**
 * The path as far as it is made of what our own paths are made of. A query string may carry a token, also in a link whose
 * question mark was escaped or lost on its way, and an absolute URL a password before its host.
 */
const loggedPath = (url: string): string =>
  /^(?:[a-z]+:\/\/[^/]*)?((?:[\w./,*-]|%2c)*)/i.exec(url)?.[1] ?? '';

/** One line a request. */
function logAnswer(request: FastifyRequest, reply: FastifyReply): void {
  const { method } = request;
  const { ipAddress: ip } = originOf(request);
  const ms = Math.round(reply.elapsedTime * 10) / 10;
  request.log.info({ method, path: loggedPath(request.url), ip, status: reply.statusCode, ms }, 'answered');
}

/** What helmet puts on an answer: the same on every one, so it is asked once. */
function securityHeaders({ isHttps, corsOrigins }: ServerOptions): OutgoingHttpHeaders {
  const request = new IncomingMessage(new Socket());
  const response = new ServerResponse(request);
  const putHeaders = helmet({
    contentSecurityPolicy: {
      directives: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] },
      useDefaults: false,
    },
    strictTransportSecurity: isHttps,
    crossOriginResourcePolicy: { policy: corsOrigins.length > 0 ? 'cross-origin' : 'same-origin' },
  });
  putHeaders(request, response, () => {});
  return response.getHeaders();
}

export async function createServer(options: ServerOptions) {
  const endpoints = endpointsOf(appRouter);
  const pending = createPending();
  const app = fastify({
    loggerInstance: options.logger,
    genReqId: () => randomUUID(), // needs no order, and costs a tenth of ours
    requestIdHeader: false,
    bodyLimit: MEGABYTE,
    requestTimeout: TIMEOUTS_MS.request,
    trustProxy: options.trustedProxies.length > 0 ? options.trustedProxies : false,
    http: { headersTimeout: TIMEOUTS_MS.headers, connectionsCheckingInterval: TIMEOUTS_MS.check },
    routerOptions: { maxParamLength: MAX_PATH_LENGTH },
    forceCloseConnections: 'idle',
    clientErrorHandler: (error, socket) => answerUnreadable(error, socket as Socket, pending),
    frameworkErrors: (error, request, reply) => {
      sendError(reply.header('x-request-id', request.id), error, ''); // no hook runs for these
      logAnswer(request, reply);
    },
    logController: new LogController({ disableRequestLogging: true }), // ours logs one line a request
  }) as unknown as FastifyInstance;

  pending.watch(app.server);
  endWithLastRequest(app, pending);
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(
    'application/json',
    { parseAs: 'buffer' },
    async (request: FastifyRequest, body: Buffer) => {
      requireUncoded(request);
      return parseJsonBody(body);
    },
  );
  app.addContentTypeParser('*', async (request: FastifyRequest) => {
    if (request.is404 || isEmpty(request)) return undefined;
    throw new errorCodes.FST_ERR_CTP_INVALID_MEDIA_TYPE();
  });
  app.setErrorHandler((error, _request, reply) => sendError(reply, error, ''));
  const readRoutes: string[] = [];
  app.addHook('onRoute', ({ method, url }) => {
    if (method === 'GET') readRoutes.push(url);
  });
  app.setNotFoundHandler((request, reply) => {
    // Methods that the router does not know come here, whatever the path.
    const path = pathOf(request.url);
    const name = /^\/api\/(.*)$/.exec(path)?.[1] ?? '';
    const route = name.startsWith('auth/')
      ? options.authRoutes.get(name.slice('auth/'.length))
      : endpoints.get(name);
    if (route !== undefined) return sendError(reply, wrongMethod(reply, route.method), name);
    if (options.consoleDirectory !== undefined && isOpenedByHand(request, path))
      return sendNothing(reply, options.consoleDirectory);
    const isRead = methodOf(request) !== 'GET' && readRoutes.some((pattern) => leadsTo(pattern, path));
    return sendError(reply, isRead ? wrongMethod(reply, 'GET') : notFound('Route'), '');
  });

  limitTime(app, TIMEOUTS_MS.handler);
  if (options.tracing !== undefined) traceRequests(app, endpoints, options.tracing);
  const headers = securityHeaders(options);
  app.addHook('onRequest', (request, reply, done) => {
    reply.headers(headers).header('x-request-id', request.id);
    requireProperHead(request);
    done();
  });
  app.addHook('onResponse', (request, reply, done) => {
    logAnswer(request, reply);
    done();
  });
  if (options.corsOrigins.length > 0) {
    const rules: FastifyCorsOptions = {
      origin: options.corsOrigins,
      credentials: true,
      allowedHeaders: [
        ...['content-type', 'x-api-key', 'trpc-accept'],
        ...['idempotency-key', 'if-match', 'if-none-match'],
      ],
      exposedHeaders: [
        ...['x-request-id', 'x-next-cursor', 'retry-after', 'ratelimit', 'ratelimit-policy'],
        ...['etag', 'idempotency-replayed'],
      ],
      maxAge: 600,
    };
    await app.register(cors, {
      delegator: (request, done) => done(null, { ...rules, preflight: isPreflight(request) }),
    });
  }

  // A name has one spelling: with escapes, rules in front of us could be walked around. Commas part a batch's names.
  app.addHook('onRequest', (request, reply, done) => {
    if (/%(?!2c)/i.test(pathOf(request.url))) sendError(reply, notFound('Route'), '');
    else done();
  });

  const createContext = contextFactory(options);
  const operations = operationsRoutes(app, endpoints, options);
  serveAuth(app, options.authRoutes, options, principalReader(options));
  trpcRoutes(app, endpoints, createContext);
  await referenceRoutes(app);
  if (options.consoleDirectory === undefined) pageRoutes(app);
  else consoleRoutes(app, options.consoleDirectory);
  plainRoutes(app, endpoints, createContext);
  uploadRoutes(app, endpoints, createContext);
  streamRoutes(app, endpoints, createContext);
  avatarRoutes(app, options.deps.storage);
  return { app, startDraining: operations.startDraining };
}
