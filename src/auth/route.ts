import type { Origin, Principal } from '../domain/principal.ts';

/** A request to `/api/auth/*`, already parsed. */
export type AuthRequest = {
  method: 'GET' | 'POST';
  body: unknown;
  origin: Origin;
  clientKey: string;
  cookie: string | undefined;
  /** Who the session cookie stands for. */
  principal: () => Promise<Principal | null>;
};

/** `cookies` are Set-Cookie headers. */
export type AuthAnswer = { body: unknown; cookies?: string[] };

export type AuthRoute = { method: 'GET' | 'POST'; handle(request: AuthRequest): Promise<AuthAnswer> };
