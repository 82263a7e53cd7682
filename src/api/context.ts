import type { Deps, RateLimiter } from '../domain/deps.ts';
import type { Origin, Principal } from '../domain/principal.ts';

/** What every procedure is given, made once for each HTTP request. */
export type Context = {
  deps: Deps;
  rateLimiter: RateLimiter;
  /** Null for anonymous callers. */
  principal: Principal | null;
  origin: Origin;
  /** What anonymous callers are counted by: the client's address, an IPv6 one by its /64. */
  clientKey: string;
  /** Sets a header of the HTTP response. */
  setHeader: (name: string, value: string) => void;
};
