import { TRPCError } from '@trpc/server';
import type { FastifyError, FastifyReply } from 'fastify';
import { describeError, type ErrorDescription, TRPC_CODE } from '../api/errors.ts';
import { RATE_LIMITED } from '../api/rate-limits.ts';
import type { Answer } from '../domain/idempotency.ts';
import { DomainError, unavailable } from '../kernel/errors.ts';

/** Errors that fastify itself makes; a body that breaks off is the connection's error with a status put on it. */
const isOfFramework = (error: unknown): error is FastifyError =>
  error instanceof Error &&
  'code' in error &&
  (String(error.code).startsWith('FST_ERR_') || (error.code === 'ECONNRESET' && 'statusCode' in error));

/** The same in our codes. */
function ofFramework(error: FastifyError): TRPCError {
  const { code, statusCode = 500 } = error;
  if (code === 'FST_ERR_HANDLER_TIMEOUT') {
    return toTRPCError(unavailable('timeout', 'This took too long. Try again.', error));
  }
  if (statusCode === 413) {
    return new TRPCError({ code: 'PAYLOAD_TOO_LARGE', message: 'The body has at most 1 MB.' });
  }
  if (statusCode === 415) {
    return new TRPCError({ code: 'UNSUPPORTED_MEDIA_TYPE', message: 'Send JSON, as application/json.' });
  }
  return statusCode >= 400 && statusCode < 500
    ? new TRPCError({ code: 'BAD_REQUEST', message: 'The request is malformed.' })
    : new TRPCError({ code: 'INTERNAL_SERVER_ERROR', message: 'Internal server error', cause: error });
}

/** Any thrown value as a tRPC error; a refusal of the domain keeps its code. */
export function toTRPCError(error: unknown): TRPCError {
  if (error instanceof TRPCError) return error;
  if (error instanceof DomainError) {
    return new TRPCError({ code: TRPC_CODE[error.code], message: error.message, cause: error });
  }
  if (isOfFramework(error)) return ofFramework(error);
  return new TRPCError({ code: 'INTERNAL_SERVER_ERROR', message: 'Internal server error', cause: error });
}

/**
 * Prepares the answer to a failed call, whatever its form: logs what is a fault of ours and sets the headers that say
 * when to come again. `path` is the procedure's name or the route.
 */
export function prepareFailure(
  reply: FastifyReply,
  thrown: unknown,
  path: string,
): { error: TRPCError; description: ErrorDescription } {
  const error = toTRPCError(thrown);
  const description = describeError(error);
  const { httpStatus, reason, retryAfter } = description;
  if (httpStatus >= 500) logFailure(reply, error, path);
  if (retryAfter !== undefined) {
    reply.header('retry-after', retryAfter);
    if (httpStatus === 429 && reason !== RATE_LIMITED) {
      reply.header('ratelimit', `"${reason}";r=0;t=${retryAfter}`).removeHeader('ratelimit-policy');
    }
  }
  return { error, description };
}

/** The error's public form. Unexpected errors are logged. */
export function errorAnswer(reply: FastifyReply, thrown: unknown, path: string): Answer {
  const { code, httpStatus, message, reason, issues } = prepareFailure(reply, thrown, path).description;
  const data = { code, httpStatus, path, reason };
  const body = issues === undefined ? { message, code, data } : { message, code, issues, data };
  return { status: httpStatus, body: JSON.stringify(body) };
}

export const sendError = (reply: FastifyReply, thrown: unknown, path: string): FastifyReply =>
  sendAnswer(reply, errorAnswer(reply, thrown, path));

/** What an expert needs to find the cause, and nothing that the caller sent. A mere refusal has no cause. */
export function logFailure(reply: FastifyReply, error: TRPCError, path: string): void {
  const cause = innermost(error);
  if (cause instanceof DomainError) reply.log.warn({ reason: cause.reason, path }, 'refused for now');
  else reply.log.error({ err: cause, path }, 'request failed');
}

/** Wrappers carry statements and parameters in their message; the error inside says what went wrong. */
function innermost(error: unknown): unknown {
  return error instanceof Error && error.cause !== undefined ? innermost(error.cause) : error;
}

/** Answers depend on who asks, so no cache keeps them. */
const sendText = (reply: FastifyReply, text: string): FastifyReply =>
  reply
    .header('content-type', 'application/json; charset=utf-8')
    .header('cache-control', 'no-store')
    .send(text);

export const toText = (body: unknown): string => JSON.stringify(body ?? null);

export const sendJson = (reply: FastifyReply, body: unknown): FastifyReply => sendText(reply, toText(body));

export const sendAnswer = (reply: FastifyReply, { status, body }: Answer): FastifyReply =>
  sendText(reply.code(status), body);
