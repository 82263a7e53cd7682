import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Context } from '../api/context.ts';
import { describeError } from '../api/errors.ts';
import type { Deps } from '../domain/deps.ts';
import { type Answer, answerOnce } from '../domain/idempotency.ts';
import { canonicalJson } from '../kernel/canonical.ts';
import { badRequest } from '../kernel/errors.ts';
import type { Endpoint } from './procedures.ts';
import { errorAnswer, toTRPCError } from './wire.ts';

const HEADER = 'idempotency-key';
/** Visible ASCII. A header that was sent twice arrives joined by a comma and a space, and so is refused too. */
const KEY = /^[!-~]{1,255}$/;

/**
 * The Idempotency-Key of a request, taken as it is, with quotes or without.
 *
 * @throws BAD_REQUEST for one that is empty, too long or not visible ASCII.
 */
export function idempotencyKeyOf({ headers }: FastifyRequest): string | undefined {
  const key = headers[HEADER];
  if (key === undefined) return undefined;
  if (typeof key === 'string' && KEY.test(key)) return key;
  throw badRequest(
    'Idempotency-Key',
    'invalid_idempotency_key',
    'An Idempotency-Key has 1 to 255 visible ASCII characters.',
  );
}

/**
 * Refuses an Idempotency-Key where none is kept: ignored, it would promise that repeating is safe.
 *
 * @throws BAD_REQUEST
 */
export function refuseIdempotencyKey({ headers }: FastifyRequest, where: string): void {
  if (headers[HEADER] === undefined) return;
  throw badRequest('Idempotency-Key', 'idempotency_key_unsupported', `${where} take no Idempotency-Key.`);
}

/**
 * Whose keys these are: an API key's, a person's over all sessions, so that signing in again does not lose them, or an
 * anonymous client's. Nobody is given an answer that another one got.
 */
function callerOf({ principal, clientKey }: Context): string {
  if (principal === null) return `client ${clientKey}`;
  return principal.key === null ? `user ${principal.userId}` : `key ${principal.key.id}`;
}

/**
 * Refusals that another try may overcome are no answer for good: not signed in, too often, a fault of ours, and whatever
 * says when to come again.
 */
function isFinal(error: unknown): boolean {
  const { httpStatus, retryAfter } = describeError(toTRPCError(error));
  return httpStatus < 500 && ![401, 408, 429].includes(httpStatus) && retryAfter === undefined;
}

/**
 * Answers a mutation that came with a key: once carried out, always given the same answer for 24 hours. Cookies are
 * not part of it.
 */
export async function answerKeyed(
  request: FastifyRequest,
  reply: FastifyReply,
  key: string,
  { ctx, endpoint }: { ctx: Context; endpoint: Endpoint },
  run: (deps: Deps) => Promise<Answer>,
): Promise<Answer> {
  const content = canonicalJson([request.body ?? {}, request.headers['if-match'] ?? null]);
  const { answer, replayed } = await answerOnce(
    ctx.deps,
    { scope: `${callerOf(ctx)}\n${endpoint.name}`, key, content },
    run,
    (error) => (isFinal(error) ? errorAnswer(reply, error, endpoint.name) : undefined),
  );
  if (replayed) reply.header('idempotency-replayed', 'true');
  return answer;
}
