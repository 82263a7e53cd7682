import { AsyncLocalStorage } from 'node:async_hooks';
import { betterAuth } from 'better-auth';
import { drizzleAdapter } from 'better-auth/adapters/drizzle';
import { drizzle } from 'drizzle-orm/pg-proxy';
import type { Database } from '../db/client.ts';
import { translateError } from '../db/errors.ts';
import { accounts, sessions, users, verifications } from '../db/schema/index.ts';
import type { PasswordHasher } from '../domain/deps.ts';
import { DomainError } from '../kernel/errors.ts';
import { newId } from '../kernel/ids.ts';
import { PASSWORD_MAX_LENGTH, PASSWORD_MIN_LENGTH } from '../kernel/password.ts';

/** The header that carries the client's address to better-auth; whatever a client sends in it is overwritten. */
export const CLIENT_ADDRESS_HEADER = 'x-tenantry-client-address';

/** Signs in and out. `http/auth.ts` lets through what we use of it. */
export type Identity = {
  /** Answers 2xx to 4xx. Rejects with a DomainError, or with what went wrong inside. */
  handle(request: Request): Promise<Response>;
  /** Name of the session cookie. */
  cookieName: string;
};

/** drizzle on our database, so that its statements wait their turn like all others. */
const drizzleOn = (database: Database) =>
  drizzle(async (text, params) => ({
    rows: await database.query((sql) => sql.unsafe(text, params as never[]).values()),
  }));

/** What drizzle's wrapper hides, with its meaning for the caller. */
function causeOf(error: unknown): unknown {
  const isWrapper = error instanceof Error && error.cause !== undefined && !(error instanceof DomainError);
  return isWrapper ? causeOf(error.cause) : translateError(error);
}

export async function createIdentity(options: {
  database: Database;
  passwords: PasswordHasher;
  publicUrl: string;
  secret: string;
  trustedOrigins: string[];
  log: (level: 'debug' | 'info' | 'warn' | 'error', message: string) => void;
}): Promise<Identity> {
  const { passwords, publicUrl, secret } = options;
  // better-auth turns some failures into a 500 without a cause, and a failed sign-out into a success. It logs the error
  // before it does, so the logger keeps it for the request that it belongs to.
  const requests = new AsyncLocalStorage<{ failure?: unknown }>();
  const auth = betterAuth({
    baseURL: publicUrl,
    basePath: '/api/auth',
    secret,
    trustedOrigins: options.trustedOrigins,
    database: drizzleAdapter(drizzleOn(options.database), {
      provider: 'pg',
      schema: { user: users, session: sessions, account: accounts, verification: verifications },
    }),
    emailAndPassword: {
      enabled: true,
      disableSignUp: true, // accounts are made by domain/account, in one transaction
      minPasswordLength: PASSWORD_MIN_LENGTH,
      maxPasswordLength: PASSWORD_MAX_LENGTH,
      password: {
        hash: (password) => passwords.hash(password),
        verify: ({ hash, password }) => passwords.verify(hash, password),
      },
    },
    rateLimit: { enabled: false }, // ours counts, in http/auth.ts
    telemetry: { enabled: false },
    logger: {
      log(level, message, ...details) {
        const request = requests.getStore();
        const failure = details.find((detail) => detail instanceof Error);
        if (level === 'error' && request !== undefined && failure !== undefined) request.failure = failure;
        else options.log(level, message);
      },
    },
    onAPIError: { throw: true }, // it would print the error, with the statement's values, past our log
    advanced: {
      database: { generateId: newId },
      useSecureCookies: publicUrl.startsWith('https://'),
      ipAddress: { ipAddressHeaders: [CLIENT_ADDRESS_HEADER] },
      disableCSRFCheck: true, // http/origin.ts checks Origin for every surface alike
    },
  });
  const { authCookies } = await auth.$context;

  async function handle(request: Request): Promise<Response> {
    const state: { failure?: unknown } = {};
    const response = await requests
      .run(state, () => auth.handler(request))
      .catch((error: unknown) => {
        throw causeOf(error);
      });
    if (state.failure !== undefined) throw causeOf(state.failure);
    if (response.status >= 500) throw new Error(`better-auth answered ${response.status}`);
    return response;
  }
  return { handle, cookieName: authCookies.sessionToken.name };
}
