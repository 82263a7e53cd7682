import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import fastifyStatic from '@fastify/static';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { notFound } from '../kernel/errors.ts';
import { methodOf } from './methods.ts';
import { sendError } from './wire.ts';

/** Everything comes in files of the service; what a page shows is data and never markup. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "font-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** Where the console's own pages are; whatever else is unknown stays unknown, which people are told by a page. */
const PAGES = [
  ...['/', '/sign-in', '/sign-up', '/forgot-password', '/organizations'],
  ...['/invitation', '/verify-email', '/reset-password', '/device'],
  ...['/o/*', '/account/*', '/platform/*'],
];

/** Sent whole each time: in the package all files are of one age, and two versions of this one are of one size. */
const INDEX = { cacheControl: false, etag: false, lastModified: false, acceptRanges: false };

const takesHtml = ({ headers: { accept = '*/*' } }: FastifyRequest): boolean =>
  /text\/html|\*\/\*/.test(accept);

const headersOfPage = {
  'content-security-policy': POLICY,
  'referrer-policy': 'no-referrer', // the links of mails carry tokens
  'cache-control': 'no-cache',
};

/** Where programs ask, whatever they say that they take. */
const PROGRAMS = /^\/(?:api|assets|avatars)(?:\/|$)/;

/** Whether somebody has opened an address in a browser, which asks for pages by name. */
export const isOpenedByHand = (request: FastifyRequest, path: string): boolean =>
  methodOf(request) === 'GET' && (request.headers.accept ?? '').includes('text/html') && !PROGRAMS.test(path);

/** The page that says that there is nothing at an address. */
export async function sendNothing(reply: FastifyReply, directory: string): Promise<FastifyReply> {
  const page = await readFile(join(directory, 'index.html'));
  return reply.code(404).headers(headersOfPage).type('text/html; charset=utf-8').send(page);
}

/** A path with dots, which the library refuses. */
const leadsOutside = (error: unknown): boolean =>
  error instanceof Error && 'statusCode' in error && error.statusCode === 403;

/**
 * The built console: `directory` holds its index.html and, in assets/, files named after their content. Each lies there
 * compressed too.
 */
export function consoleRoutes(app: FastifyInstance, directory: string): void {
  const page = (request: FastifyRequest, reply: FastifyReply) =>
    takesHtml(request)
      ? reply.headers(headersOfPage).sendFile('index.html', directory, INDEX)
      : reply.callNotFound();
  app.register(async (files) => {
    files.setErrorHandler((error, _request, reply) =>
      sendError(reply, leadsOutside(error) ? notFound('Route') : error, ''),
    );
    await files.register(fastifyStatic, {
      root: `${directory}/assets`,
      prefix: '/assets/',
      preCompressed: true,
      index: false,
      immutable: true,
      maxAge: '365d',
    });
    for (const path of PAGES) files.get(path, page);
  });
}
