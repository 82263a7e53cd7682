import { TRPCError } from '@trpc/server';
import type { FastifyReply } from 'fastify';
import { describeError, TRPC_CODE } from '../api/errors.ts';
import { DomainError } from '../kernel/errors.ts';

/** Any thrown value as a tRPC error; a refusal of the domain keeps its code. */
export function toTRPCError(error: unknown): TRPCError {
  if (error instanceof TRPCError) return error;
  if (error instanceof DomainError) {
    return new TRPCError({ code: TRPC_CODE[error.code], message: error.message, cause: error });
  }
  return new TRPCError({ code: 'INTERNAL_SERVER_ERROR', message: 'Internal server error', cause: error });
}

/** Answers with the error's public form; `path` is the procedure's name or the route. Unexpected errors are logged. */
export function sendError(reply: FastifyReply, error: unknown, path: string): FastifyReply {
  const trpcError = toTRPCError(error);
  const { code, httpStatus, message, reason, issues, retryAfter } = describeError(trpcError);
  if (httpStatus >= 500) logFailure(reply, trpcError, path);
  if (retryAfter !== undefined) reply.header('retry-after', retryAfter);
  const data = { code, httpStatus, path, reason };
  const body = issues === undefined ? { message, code, data } : { message, code, issues, data };
  return sendJson(reply.code(httpStatus), body);
}

/** What an expert needs to find the cause, and nothing that the caller sent. */
export function logFailure(reply: FastifyReply, error: TRPCError, path: string): void {
  reply.log.error({ err: innermost(error), path }, 'request failed');
}

/** Wrappers carry statements and parameters in their message; the error inside says what went wrong. */
function innermost(error: unknown): unknown {
  return error instanceof Error && error.cause !== undefined ? innermost(error.cause) : error;
}

export const sendJson = (reply: FastifyReply, body: unknown): FastifyReply =>
  reply.header('content-type', 'application/json; charset=utf-8').send(JSON.stringify(body ?? null));
