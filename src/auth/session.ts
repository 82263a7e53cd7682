import type { Deps } from '../domain/deps.ts';
import type { Identity } from './better-auth.ts';
import { readSignedCookie } from './cookie.ts';
import type { AuthAnswer, AuthRequest } from './route.ts';

type Body = { session?: { token?: unknown } } | null;

/** better-auth's reading of the session, without the token; null for who has none. */
export async function readSession(identity: Identity, deps: Deps, request: AuthRequest): Promise<AuthAnswer> {
  const token = readSignedCookie(request.cookie, identity.sessionCookie.name, deps.rules.secret);
  if (token === undefined || request.cookie === undefined) return { body: null };
  // Our own rules first: better-auth knows nothing of a suspension, nor of when a session was last used.
  if ((await request.principal()) === null) return { body: null, cookies: [identity.sessionCookie.cleared] };
  const response = await identity.handle(
    new Request(`${deps.rules.publicUrl}/api/auth/get-session`, { headers: { cookie: request.cookie } }),
  );
  const body = (await response.json()) as Body;
  delete body?.session?.token;
  return { body, cookies: response.headers.getSetCookie() };
}
