import type { Deps, RateLimit, RateLimiter } from '../domain/deps.ts';
import type { Origin, Principal } from '../domain/principal.ts';
import type { IfMatch } from '../kernel/versions.ts';

/** What every procedure is given, made once for each HTTP request. */
export type Context = {
  deps: Deps;
  rateLimiter: RateLimiter;
  /** Holds for all calls of one caller together; undefined where it is switched off. */
  callLimit: RateLimit | undefined;
  /** Null for anonymous callers. */
  principal: Principal | null;
  origin: Origin;
  /** What anonymous callers are counted by: the client's address, an IPv6 one by its /64. */
  clientKey: string;
  /** Whether the input comes as a form, as procedures with `upload` want it. */
  isForm: boolean;
  /** Whether the answer may be lines of JSON, as procedures with `lines` give it. */
  takesLines: boolean;
  /** What the caller requires of the thing that an update changes (If-Match, plain HTTP only). */
  ifMatch: IfMatch;
  /** Sets a header of the HTTP response. */
  setHeader: (name: string, value: string) => void;
  /** Has the client forget its session. */
  clearSessionCookie: () => void;
};
