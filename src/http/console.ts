import fastifyStatic from '@fastify/static';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';

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

/** Where the console's own pages are; whatever else is unknown stays unknown. */
const PAGES = [
  ...['/', '/sign-in', '/sign-up', '/forgot-password', '/organizations'],
  ...['/invitation', '/verify-email', '/reset-password', '/device'],
  ...['/o/*', '/account/*', '/platform/*'],
];

/** Sent whole each time: in the package all files are of one age, and two versions of this one are of one size. */
const INDEX = { cacheControl: false, etag: false, lastModified: false, acceptRanges: false };

const takesHtml = ({ headers: { accept = '*/*' } }: FastifyRequest): boolean =>
  /text\/html|\*\/\*/.test(accept);

/**
 * The built console: `directory` holds its index.html and, in assets/, files named after their content. Each lies there
 * compressed too.
 */
export function consoleRoutes(app: FastifyInstance, directory: string): void {
  app.register(fastifyStatic, {
    root: `${directory}/assets`,
    prefix: '/assets/',
    preCompressed: true,
    index: false,
    immutable: true,
    maxAge: '365d',
  });
  const page = (request: FastifyRequest, reply: FastifyReply) =>
    takesHtml(request)
      ? reply
          .header('content-security-policy', POLICY)
          .header('referrer-policy', 'no-referrer') // the links of mails carry tokens
          .header('cache-control', 'no-cache')
          .sendFile('index.html', directory, INDEX)
      : reply.callNotFound();
  for (const path of PAGES) app.get(path, page);
}
