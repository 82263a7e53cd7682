import { z } from 'zod';
import { registerAccount } from '../domain/account/index.ts';
import type { Deps, RateLimiter } from '../domain/deps.ts';
import type { Origin } from '../domain/principal.ts';
import { tooManyRequests } from '../kernel/errors.ts';
import { PASSWORD_MAX_LENGTH } from '../kernel/password.ts';
import { Email, NamePart, PersonName, Token } from '../kernel/schemas.ts';
import { CLIENT_ADDRESS_HEADER, type Identity } from './better-auth.ts';

const Password = z.string().max(PASSWORD_MAX_LENGTH);
const SignIn = z.object({ email: Email, password: Password, rememberMe: z.boolean().optional() });
const SignUp = SignIn.extend({
  name: PersonName,
  firstName: NamePart.optional(),
  lastName: NamePart.optional(),
  invitationToken: Token.optional(),
});

/** Guessing is slow for one account from anywhere, and for one client over all accounts. */
const LIMITS = {
  account: { name: 'auth.account', points: 10, seconds: 60 },
  client: { name: 'auth.client', points: 60, seconds: 60 },
};

/** A request to `/api/auth/*`, already parsed. */
export type AuthRequest = {
  method: 'GET' | 'POST';
  body: unknown;
  origin: Origin;
  clientKey: string;
  cookie: string | undefined;
};

export type AuthRoute = { method: 'GET' | 'POST'; handle(request: AuthRequest): Promise<Response> };

/**
 * Everything below `/api/auth/`: sign-up by our own rules, the rest by better-auth behind our limits. Nothing else of
 * better-auth can be reached. Handlers throw DomainError and ZodError.
 */
export function authRoutes(options: {
  identity: Identity;
  deps: Deps;
  rateLimiter: RateLimiter;
  publicUrl: string;
}): ReadonlyMap<string, AuthRoute> {
  const { identity, deps, rateLimiter, publicUrl } = options;

  async function requireAttempt(clientKey: string, email: string): Promise<void> {
    const results = [
      await rateLimiter.consume(LIMITS.client, clientKey),
      await rateLimiter.consume(LIMITS.account, email),
    ];
    const refused = results.find(({ allowed }) => !allowed);
    if (refused !== undefined) {
      throw tooManyRequests('too_many_attempts', 'Too many attempts. Try again later.', refused.resetSeconds);
    }
  }

  function ask(request: AuthRequest, route: string, body?: object): Promise<Response> {
    const headers = new Headers({
      [CLIENT_ADDRESS_HEADER]: request.origin.ipAddress ?? '',
      'user-agent': request.origin.userAgent ?? '',
    });
    if (request.cookie !== undefined) headers.set('cookie', request.cookie);
    const init = body === undefined ? {} : { body: JSON.stringify(body) };
    if (body !== undefined) headers.set('content-type', 'application/json');
    return identity.handle(
      new Request(`${publicUrl}/api/auth/${route}`, { method: request.method, headers, ...init }),
    );
  }

  return new Map<string, AuthRoute>([
    ['get-session', { method: 'GET', handle: (request) => ask(request, 'get-session') }],
    ['sign-out', { method: 'POST', handle: (request) => ask(request, 'sign-out', {}) }],
    [
      'sign-in/email',
      {
        method: 'POST',
        async handle(request) {
          const input = SignIn.parse(request.body ?? {});
          await requireAttempt(request.clientKey, input.email);
          return ask(request, 'sign-in/email', input);
        },
      },
    ],
    [
      'sign-up/email',
      {
        method: 'POST',
        async handle(request) {
          const { rememberMe, ...input } = SignUp.parse(request.body ?? {});
          await requireAttempt(request.clientKey, input.email);
          await registerAccount(deps, request.origin, input);
          return ask(request, 'sign-in/email', { email: input.email, password: input.password, rememberMe });
        },
      },
    ],
  ]);
}
