import { STATUS_CODES } from 'node:http';
import cors from '@fastify/cors';
import helmet from '@fastify/helmet';
import { TRPCError } from '@trpc/server';
import {
  type FastifyBaseLogger,
  type FastifyError,
  type FastifyInstance,
  type FastifyServerOptions,
  fastify,
  LogController,
} from 'fastify';
import { appRouter } from '../api/root.ts';
import type { AuthRoute } from '../auth/routes.ts';
import { notFound } from '../kernel/errors.ts';
import { newId } from '../kernel/ids.ts';
import { serveAuth } from './auth.ts';
import { type ContextOptions, contextFactory } from './context.ts';
import { invitationPage } from './invitation-page.ts';
import { parseJson } from './json.ts';
import { type OperationsOptions, operationsRoutes } from './operations.ts';
import { plainRoutes } from './plain.ts';
import { ALLOWED_METHODS, endpointsOf } from './procedures.ts';
import { referenceRoutes } from './reference.ts';
import { trpcRoutes } from './trpc.ts';
import { sendError } from './wire.ts';

const MEGABYTE = 1024 * 1024;
const HEADERS_TIMEOUT_MS = 10_000;
const REQUEST_TIMEOUT_MS = 30_000;

export type ServerOptions = ContextOptions &
  OperationsOptions & {
    authRoutes: ReadonlyMap<string, AuthRoute>;
    /** Whether people reach the service over https. */
    isHttps: boolean;
    corsOrigins: string[];
    trustedProxies: string[];
    logger: FastifyBaseLogger;
    version: string;
  };

/** Errors that fastify makes before a handler runs, in our codes. */
function ofFramework(error: FastifyError): unknown {
  const { statusCode } = error;
  if (statusCode === 413) {
    return new TRPCError({ code: 'PAYLOAD_TOO_LARGE', message: 'The body has at most 1 MB.' });
  }
  if (statusCode === 415) {
    return new TRPCError({ code: 'UNSUPPORTED_MEDIA_TYPE', message: 'Send JSON, as application/json.' });
  }
  if (statusCode !== undefined && statusCode >= 400 && statusCode < 500) {
    return new TRPCError({ code: 'BAD_REQUEST', message: 'The request is malformed.' });
  }
  return error;
}

/** What is not even HTTP gets an answer too, and the connection ends. */
const answerUnreadable: FastifyServerOptions['clientErrorHandler'] = (error, socket) => {
  if (error.code === 'ECONNRESET' || socket.destroyed) return;
  const status =
    error.code === 'HPE_HEADER_OVERFLOW' ? 431 : error.code === 'ERR_HTTP_REQUEST_TIMEOUT' ? 408 : 400;
  const body = JSON.stringify({
    message: 'The request is malformed.',
    code: 'PARSE_ERROR',
    data: { code: 'PARSE_ERROR', httpStatus: status, path: '', reason: 'malformed_request' },
  });
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nContent-Type: application/json; charset=utf-8\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  );
};

export async function createServer(options: ServerOptions) {
  const endpoints = endpointsOf(appRouter);
  const app = fastify({
    loggerInstance: options.logger,
    genReqId: newId,
    requestIdHeader: false,
    bodyLimit: MEGABYTE,
    requestTimeout: REQUEST_TIMEOUT_MS,
    trustProxy: options.trustedProxies.length > 0 ? options.trustedProxies : false,
    http: { headersTimeout: HEADERS_TIMEOUT_MS },
    routerOptions: { maxParamLength: 1000 },
    forceCloseConnections: 'idle',
    clientErrorHandler: answerUnreadable,
    frameworkErrors: (error, _request, reply) => {
      sendError(reply, ofFramework(error), '');
    },
    logController: new LogController({ disableRequestLogging: true }), // ours logs one line a request
  }) as unknown as FastifyInstance;

  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (_request, body, done) => {
    try {
      done(null, body === '' ? undefined : parseJson(body as string));
    } catch (error) {
      done(error as Error);
    }
  });
  app.setErrorHandler((error: FastifyError, request, reply) =>
    sendError(reply, error.statusCode === undefined ? error : ofFramework(error), nameOf(request.url)),
  );
  app.setNotFoundHandler((request, reply) => {
    const name = nameOf(request.url);
    const endpoint = endpoints.get(name);
    if (endpoint === undefined) return sendError(reply, notFound('Route'), name);
    // Methods that the router does not know come here, whatever the path.
    const error = new TRPCError({ code: 'METHOD_NOT_SUPPORTED', message: `Use ${endpoint.method}.` });
    return sendError(reply.header('allow', ALLOWED_METHODS[endpoint.method]), error, name);
  });

  app.addHook('onRequest', (request, reply, done) => {
    reply.header('x-request-id', request.id);
    done();
  });
  app.addHook('onResponse', (request, reply, done) => {
    const { method, url, ip } = request;
    const [path] = url.split('?', 1); // a query string may carry a token
    const ms = Math.round(reply.elapsedTime * 10) / 10;
    request.log.info({ method, path, ip, status: reply.statusCode, ms }, 'answered');
    done();
  });
  await app.register(helmet, {
    contentSecurityPolicy: {
      directives: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] },
      useDefaults: false,
    },
    strictTransportSecurity: options.isHttps,
    crossOriginResourcePolicy: { policy: options.corsOrigins.length > 0 ? 'cross-origin' : 'same-origin' },
  });
  if (options.corsOrigins.length > 0) {
    await app.register(cors, {
      origin: options.corsOrigins,
      credentials: true,
      allowedHeaders: ['content-type', 'x-api-key', 'trpc-accept'],
      exposedHeaders: ['x-request-id', 'x-next-cursor', 'retry-after', 'ratelimit', 'ratelimit-policy'],
      maxAge: 600,
    });
  }

  const createContext = contextFactory(options);
  const operations = operationsRoutes(app, endpoints, options);
  serveAuth(app, options.authRoutes, options.trustedOrigins);
  trpcRoutes(app, endpoints, createContext);
  referenceRoutes(app, appRouter, options.version);
  invitationPage(app);
  plainRoutes(app, endpoints, createContext);
  return { app, startDraining: operations.startDraining };
}

/** The dotted name in a URL such as `/api/organization.one?…`; empty for any other. */
const nameOf = (url: string): string => /^\/api\/([\w.]{1,200})(?:\?|$)/.exec(url)?.[1] ?? '';
