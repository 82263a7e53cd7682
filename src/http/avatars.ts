import type { FastifyInstance } from 'fastify';
import type { Storage } from '../domain/storage.ts';
import { notFound } from '../kernel/errors.ts';
import { requireMethod } from './methods.ts';
import { sendError } from './wire.ts';

const NAME = /^([0-9a-f]{64})\.webp$/;

/** `GET /avatars/<hash>.webp`, for everybody and on any page: who knows the hash has seen the picture. */
export function avatarRoutes(app: FastifyInstance, storage: Storage): void {
  app.all(
    '/avatars/:name',
    { errorHandler: (error, _request, reply) => sendError(reply, error, 'avatars') },
    async (request, reply) => {
      requireMethod(request, reply, 'GET');
      const [name, hash] = NAME.exec((request.params as { name: string }).name) ?? [];
      const picture = name === undefined ? undefined : await storage.get(name);
      if (picture === undefined) throw notFound('Avatar');
      const etag = `"${hash}"`;
      reply
        .header('cache-control', 'public, max-age=31536000, immutable')
        .header('cross-origin-resource-policy', 'cross-origin')
        .header('etag', etag);
      if (request.headers['if-none-match'] === etag) return reply.code(304).send();
      return reply.header('content-type', 'image/webp').send(picture);
    },
  );
}
