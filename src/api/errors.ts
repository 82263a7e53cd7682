import type { TRPCError } from '@trpc/server';
import { getHTTPStatusCodeFromError } from '@trpc/server/http';
import type { TRPC_ERROR_CODE_KEY } from '@trpc/server/rpc';
import { z } from 'zod';
import { DomainError, type ErrorCode } from '../kernel/errors.ts';

export const TRPC_CODE = {
  BAD_REQUEST: 'BAD_REQUEST',
  UNAUTHORIZED: 'UNAUTHORIZED',
  FORBIDDEN: 'FORBIDDEN',
  NOT_FOUND: 'NOT_FOUND',
  CONFLICT: 'CONFLICT',
  PRECONDITION_FAILED: 'PRECONDITION_FAILED',
  UNPROCESSABLE_CONTENT: 'UNPROCESSABLE_CONTENT',
  TOO_MANY_REQUESTS: 'TOO_MANY_REQUESTS',
  SERVICE_UNAVAILABLE: 'SERVICE_UNAVAILABLE',
} as const satisfies Record<ErrorCode, TRPC_ERROR_CODE_KEY>;

export type Issue = { message: string; path: (string | number)[]; code: string };

/** What a caller is told about an error, on either surface. */
export type ErrorDescription = {
  code: TRPC_ERROR_CODE_KEY;
  httpStatus: number;
  message: string;
  /** A stable snake_case word for programs. */
  reason: string;
  issues: Issue[] | undefined;
  /** Seconds. */
  retryAfter: number | undefined;
};

/** Of what tRPC refuses by itself. */
const REASONS: Partial<Record<TRPC_ERROR_CODE_KEY, string>> = {
  NOT_FOUND: 'procedure_not_found',
  PARSE_ERROR: 'malformed_request',
  INTERNAL_SERVER_ERROR: 'internal',
};

/** Of a thing that is wrong all over, the first ones tell enough. */
const MAX_ISSUES = 20;
/** The names in a record are the sender's, and of any length: an answer is not to be as long, nor to be kept so. */
const MAX_KEY_LENGTH = 64;

const shownKey = (key: PropertyKey): string | number =>
  typeof key === 'number' ? key : String(key).slice(0, MAX_KEY_LENGTH).toWellFormed();

function issuesOf(cause: unknown): Issue[] | undefined {
  if (cause instanceof z.ZodError) {
    return cause.issues.slice(0, MAX_ISSUES).map(({ message, path, code }) => ({
      message,
      path: path.map(shownKey),
      code,
    }));
  }
  if (cause instanceof DomainError && cause.field !== undefined) {
    return [{ message: cause.message, path: [cause.field], code: cause.reason }];
  }
  return undefined;
}

/** The one place where an error gets its public form. An unexpected one keeps its message to itself. */
export function describeError(error: TRPCError): ErrorDescription {
  const { code, cause } = error;
  const domain = cause instanceof DomainError ? cause : undefined;
  const issues = issuesOf(cause);
  const invalid = cause instanceof z.ZodError && code === 'BAD_REQUEST';
  const message =
    code === 'INTERNAL_SERVER_ERROR'
      ? 'Internal server error'
      : invalid
        ? `Invalid input: ${issues?.map((issue) => `${issue.path.join('.') || 'input'}: ${issue.message}`).join('; ')}`
        : error.message;
  return {
    code,
    httpStatus: getHTTPStatusCodeFromError(error),
    message,
    reason: domain?.reason ?? (invalid ? 'invalid_input' : (REASONS[code] ?? code.toLowerCase())),
    issues: code === 'INTERNAL_SERVER_ERROR' ? undefined : issues,
    retryAfter: domain?.retryAfter,
  };
}
