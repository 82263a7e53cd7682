import { AsyncLocalStorage } from 'node:async_hooks';
import {
  getCurrentAuthContextAsyncLocalStorage,
  getCurrentDBAdapterAsyncLocalStorage,
  getRequestStateAsyncLocalStorage,
} from '@better-auth/core/context';
import type { BetterAuthPlugin } from 'better-auth';
import { drizzleAdapter } from 'better-auth/adapters/drizzle';
import { createAuthEndpoint } from 'better-auth/api';
import { betterAuth } from 'better-auth/minimal'; // without its own query builder
import { drizzle } from 'drizzle-orm/pg-proxy';
import { z } from 'zod';
import type { Database } from '../db/client.ts';
import { translateError } from '../db/errors.ts';
import { accounts, sessions, users, verifications } from '../db/schema/index.ts';
import { DomainError } from '../kernel/errors.ts';
import { newId } from '../kernel/ids.ts';

/** The header that carries the client's address to better-auth; whatever a client sends in it is overwritten. */
const CLIENT_ADDRESS_HEADER = 'x-tenantry-client-address';

/** A cookie in better-auth's form: signed, HttpOnly, and Secure where the service is reached by https. */
export type SignedCookie = {
  name: string;
  /** The Set-Cookie header for a value. Without `maxAge` (seconds) it ends with the browser. */
  set(value: string, maxAge?: number): Promise<string>;
  /** The Set-Cookie header that makes a client forget it. */
  cleared: string;
};

/** better-auth's part: its cookies and its reading of the session. Who signs in, and how, our own domain decides. */
export type Identity = {
  /** Answers 2xx to 4xx. Rejects with a DomainError, or with what went wrong inside. */
  handle(request: Request): Promise<Response>;
  /** Whether a browser may be led there: a path here, or a page of a trusted origin. */
  isTrustedTarget(url: string): boolean;
  sessionCookie: SignedCookie;
  /** Holds the challenge between a password and a second factor. */
  twoFactorCookie: SignedCookie;
};

const CookieInput = z.object({
  cookie: z.enum(['session_token', 'two_factor']),
  value: z.string(),
  maxAge: z.number().optional(),
});

/** better-auth sets cookies inside its endpoints only; no request reaches this one. */
const cookieWriter = {
  id: 'cookie-writer',
  endpoints: {
    writeCookie: createAuthEndpoint.serverOnly({ method: 'POST', body: CookieInput }, async (ctx) => {
      const { cookie, value, maxAge } = ctx.body;
      const { name, attributes } = ctx.context.createAuthCookie(cookie);
      await ctx.setSignedCookie(name, value, ctx.context.secret, { ...attributes, maxAge });
      return ctx.json(null);
    }),
  },
} satisfies BetterAuthPlugin;

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

/**
 * better-auth turns some failures into a 500 without a cause, and a failed sign-out into a success. It logs the error
 * before it does, so the logger keeps it for the request that it belongs to.
 */
const requests = new AsyncLocalStorage<{ failure?: unknown }>();

/** What is in use while somebody is inside better-auth; its own three are of the whole process. */
const STORAGES: readonly AsyncLocalStorage<unknown>[] = [
  requests,
  ...(await Promise.all([
    getRequestStateAsyncLocalStorage(),
    getCurrentDBAdapterAsyncLocalStorage(),
    getCurrentAuthContextAsyncLocalStorage(), // deprecated for its readers; there is no other way to the storage
  ])),
];
let inside = 0;

/**
 * Runs work that may use the storages. Before version 24 Node.js follows every promise of the process from the first use
 * of an AsyncLocalStorage on, which costs every request a fifth of its time. So they are given up whenever nobody is inside
 * better-auth.
 */
async function borrow<T>(work: () => Promise<T>): Promise<T> {
  inside += 1;
  try {
    return await work();
  } finally {
    inside -= 1;
    if (inside === 0) for (const storage of STORAGES) storage.disable();
  }
}

export async function createIdentity(options: {
  database: Database;
  publicUrl: string;
  secret: string;
  trustedOrigins: string[];
  log: (level: 'debug' | 'info' | 'warn' | 'error', message: string) => void;
}): Promise<Identity> {
  const { publicUrl, secret } = options;
  const auth = betterAuth({
    baseURL: publicUrl,
    basePath: '/api/auth',
    secret,
    trustedOrigins: options.trustedOrigins,
    database: drizzleAdapter(drizzleOn(options.database), {
      provider: 'pg',
      schema: { user: users, session: sessions, account: accounts, verification: verifications },
    }),
    plugins: [cookieWriter],
    user: { additionalFields: { twoFactorEnabled: { type: 'boolean', required: false, input: false } } },
    session: { disableSessionRefresh: true }, // use prolongs them, in auth/usage.ts
    rateLimit: { enabled: false }, // ours are in auth/limits.ts
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
  const context = await auth.$context;

  async function handle(request: Request): Promise<Response> {
    const state: { failure?: unknown } = {};
    const response = await borrow(() => requests.run(state, () => auth.handler(request))).catch(
      (error: unknown) => {
        throw causeOf(error);
      },
    );
    if (state.failure !== undefined) throw causeOf(state.failure);
    if (response.status >= 500) throw new Error(`better-auth answered ${response.status}`);
    return response;
  }
  function signedCookie(cookie: 'session_token' | 'two_factor'): SignedCookie {
    const { name, attributes } = context.createAuthCookie(cookie);
    return {
      name,
      async set(value, maxAge) {
        const body = { cookie, value, ...(maxAge === undefined ? {} : { maxAge }) };
        const { headers } = await borrow(() => auth.api.writeCookie({ body, returnHeaders: true }));
        return headers.get('set-cookie') ?? '';
      },
      cleared: `${name}=; Max-Age=0; Path=/; HttpOnly; SameSite=Lax${attributes.secure === true ? '; Secure' : ''}`,
    };
  }
  return {
    handle,
    isTrustedTarget: (url) => context.isTrustedOrigin(url, { allowRelativePaths: true }),
    sessionCookie: signedCookie('session_token'),
    twoFactorCookie: signedCookie('two_factor'),
  };
}
