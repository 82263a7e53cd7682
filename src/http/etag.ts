import { createHash } from 'node:crypto';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { badRequest } from '../kernel/errors.ts';
import { type IfMatch, versionOf } from '../kernel/versions.ts';
import type { Endpoint } from './procedures.ts';

/* An ETag is `"<version>.<hash of the bytes>"`, without the version where no update asks for one. If-None-Match looks
at all of it, so 304 means the very bytes; If-Match at the version, so what an update cannot overwrite does not stop
it, such as the caller's role in an answer. */

const TAG = /^(?:W\/)?"[!#-~\u0080-\u00ff]*"$/;
const MAX_TAGS = 20;

/** The tags of a header; `*` stands for any, and undefined for what is no such header. */
function tagsOf(value: string): '*' | string[] | undefined {
  if (value.trim() === '*') return '*';
  const tags = value.split(',').map((tag) => tag.trim()); // ours have no commas
  return tags.length <= MAX_TAGS && tags.every((tag) => TAG.test(tag)) ? tags : undefined;
}

/**
 * What an If-Match header requires. `*` asks only that the thing exists, as every update does. A weak tag never matches
 * (RFC 9110, 13.1.1).
 *
 * @throws BAD_REQUEST for a malformed one, and where the procedure takes none: ignored, it would promise protection.
 */
export function ifMatchOf({ headers }: FastifyRequest, { type, meta }: Endpoint): IfMatch {
  const value = headers['if-match'];
  if (value === undefined) return undefined;
  if (type !== 'mutation' || meta.version === undefined) throw ifMatchUnsupported();
  const tags = tagsOf(value);
  if (tags === undefined) {
    const message = `If-Match is * or up to ${MAX_TAGS} ETags with their quotes.`;
    throw badRequest('If-Match', 'malformed_etag', message);
  }
  if (tags === '*') return undefined;
  return tags.flatMap((tag) => /^"([^".]+)\./.exec(tag)?.[1] ?? []);
}

const ifMatchUnsupported = () => badRequest('If-Match', 'if_match_unsupported', 'This takes no If-Match.');

/**
 * Refuses an If-Match where nothing is compared: ignored, it would promise protection.
 *
 * @throws BAD_REQUEST
 */
export function refuseIfMatch({ headers }: FastifyRequest): void {
  if (headers['if-match'] !== undefined) throw ifMatchUnsupported();
}

const opaque = (tag: string): string => tag.replace(/^W\//, '');

/**
 * Whether the client has this answer already. Tags are compared weakly, as RFC 9110 wants it here; what is malformed
 * costs the client nothing but the bytes.
 */
function isKnown({ headers }: FastifyRequest, tag: string): boolean {
  const value = headers['if-none-match'];
  if (value === undefined) return false;
  const tags = tagsOf(value);
  return tags === '*' || (tags ?? []).some((other) => opaque(other) === tag);
}

/**
 * Sets the ETag of a single read. Answers stay `no-store`: they are personal, and a browser's cache outlives the
 * session on a shared machine. The tag serves If-Match, and programs that keep answers themselves.
 *
 * @returns whether to answer 304, without a body
 */
export function tagAnswer(
  request: FastifyRequest,
  reply: FastifyReply,
  endpoint: Endpoint,
  data: unknown,
  text: string,
): boolean {
  const hash = createHash('sha256').update(text).digest('base64url').slice(0, 22);
  const { version } = endpoint.meta;
  const isVersioned = version !== undefined && typeof data === 'object' && data !== null;
  const tag = isVersioned ? `"${versionOf(version, data)}.${hash}"` : `"${hash}"`;
  reply.header('etag', tag);
  return isKnown(request, tag);
}
