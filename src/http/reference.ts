import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import fastifyStatic from '@fastify/static';
import { getHtmlDocument } from '@scalar/core/libs/html-rendering';
import type { FastifyInstance } from 'fastify';
import { requireMethod } from './methods.ts';

/** As `npm run openapi` has written it: to make it anew costs a fifth of the memory and of the time to start. */
const DOCUMENT = new URL('../../openapi.json', import.meta.url);

/** The page brings its own script and style; nothing is fetched from anywhere else. */
const PAGE_POLICY = [
  "default-src 'none'",
  "script-src 'self' 'unsafe-inline' 'unsafe-eval'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data: blob:",
  "font-src 'self' data:",
  "connect-src 'self'",
  "worker-src 'self' blob:",
  "frame-ancestors 'none'",
].join('; ');

const PAGE = getHtmlDocument({
  cdn: '/docs/scalar.js',
  pageTitle: 'Tenantry API',
  url: '/api/openapi.json',
  withDefaultFonts: false,
  telemetry: false,
  hideClientButton: true,
  agent: { disabled: true },
  showDeveloperTools: 'never',
});
/** The package's own plugin would hold these megabytes in memory, with parsers of documents that are not asked for. */
const SCRIPTS = join(dirname(createRequire(import.meta.url).resolve('@scalar/fastify-api-reference')), 'js');

/** `/api/openapi.json` and the page over it, `/docs`. */
export async function referenceRoutes(app: FastifyInstance): Promise<void> {
  const document = await readFile(DOCUMENT);
  app.all('/api/openapi.json', (request, reply) => {
    requireMethod(request, reply, 'GET'); // any other would be taken for a procedure's
    return reply.header('content-type', 'application/json; charset=utf-8').send(document);
  });

  app.register(async (page) => {
    await page.register(fastifyStatic, { root: SCRIPTS, serve: false });
    page.get('/docs', (_request, reply) =>
      reply
        .header('content-security-policy', PAGE_POLICY)
        .header('content-type', 'text/html; charset=utf-8')
        .send(PAGE),
    );
    page.get('/docs/', (_request, reply) => reply.redirect('/docs', 301));
    page.get('/docs/scalar.js', (_request, reply) => reply.sendFile('standalone.js'));
  });
}
