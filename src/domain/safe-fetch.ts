/** Why there was no answer that counts. Fixed words: what lies behind an address is told to nobody. */
export type SendFailure =
  | 'address_not_allowed'
  | 'host_not_found'
  | 'connection_failed'
  | 'tls_failed'
  | 'timed_out'
  | 'invalid_response';

export type SendOutcome =
  /** `body` is the beginning of the answer, up to 1 KB, without control characters but line breaks and tabs. */
  { status: number; retryAfter: string | null; body: string } | { failure: SendFailure };

/**
 * Sends a POST to an address that a tenant chose, and only to a public one or one that the settings allow. Follows no
 * redirect: a 3xx is an answer like any other. Ends within ten seconds; never rejects for what the other side does.
 */
export type SafePost = (
  url: string,
  request: { headers: Record<string, string>; body: string },
) => Promise<SendOutcome>;
