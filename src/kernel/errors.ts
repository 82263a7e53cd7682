/** What kind of refusal this is; each maps to one HTTP status and one tRPC code (see `api/errors.ts`). */
export type ErrorCode =
  | 'BAD_REQUEST'
  | 'UNAUTHORIZED'
  | 'FORBIDDEN'
  | 'NOT_FOUND'
  | 'CONFLICT'
  | 'PRECONDITION_FAILED'
  | 'UNPROCESSABLE_CONTENT'
  | 'TOO_MANY_REQUESTS'
  | 'SERVICE_UNAVAILABLE';

/**
 * A refusal that the caller is meant to read. `reason` is a stable snake_case word for programs, `message` a
 * sentence for people. `field` names the input field at fault, `retryAfter` the whole seconds to wait.
 */
export class DomainError extends Error {
  override name = 'DomainError';
  readonly code: ErrorCode;
  readonly reason: string;
  readonly field: string | undefined;
  readonly retryAfter: number | undefined;

  constructor(
    code: ErrorCode,
    reason: string,
    message: string,
    details: { field?: string; retryAfter?: number; cause?: unknown } = {},
  ) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.reason = reason;
    this.field = details.field;
    this.retryAfter = details.retryAfter;
  }
}

export const badRequest = (field: string, reason: string, message: string) =>
  new DomainError('BAD_REQUEST', reason, message, { field });

export const unauthorized = (reason: string, message: string) =>
  new DomainError('UNAUTHORIZED', reason, message);

export const forbidden = (reason: string, message: string) => new DomainError('FORBIDDEN', reason, message);

/** Missing and not yours answer alike, so the message names the kind of thing and nothing of the request. */
export const notFound = (kind: string) =>
  new DomainError('NOT_FOUND', `${kind.toLowerCase().replaceAll(' ', '_')}_not_found`, `${kind} not found.`);

export const conflict = (reason: string, message: string, field?: string) =>
  new DomainError('CONFLICT', reason, message, field === undefined ? {} : { field });

export const preconditionFailed = (reason: string, message: string) =>
  new DomainError('PRECONDITION_FAILED', reason, message);

export const tooManyRequests = (reason: string, message: string, retryAfter: number) =>
  new DomainError('TOO_MANY_REQUESTS', reason, message, { retryAfter });

/** The service itself cannot do it now; the same request may succeed in `retryAfter` seconds. */
export const unavailable = (reason: string, message: string, cause?: unknown) =>
  new DomainError('SERVICE_UNAVAILABLE', reason, message, { retryAfter: 1, cause });

/** An administrator has switched it off: coming again soon does not help. */
export const switchedOff = (reason: string, message: string) =>
  new DomainError('SERVICE_UNAVAILABLE', reason, message);
