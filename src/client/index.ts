import { createTRPCClient, httpBatchLink, type TRPCClient } from '@trpc/client';
import type { inferRouterInputs, inferRouterOutputs } from '@trpc/server';
import superjson from 'superjson';
import type { Lines } from '../api/lines.ts';
import type { AppRouter } from '../api/root.ts';
import type { Upload } from '../api/upload.ts';

export type { AppRouter };

/** Whether a call takes and gives what JSON holds: lines and forms are for plain HTTP. */
type IsJson<Call> = Call extends (input: infer Input, ...rest: never[]) => PromiseLike<infer Output>
  ? Output extends Lines
    ? false
    : Input extends { file: Upload }
      ? false
      : true
  : true;
type Callable<Calls> = {
  [Name in keyof Calls as IsJson<Calls[Name][keyof Calls[Name]]> extends true ? Name : never]: Calls[Name];
};
type Client = TRPCClient<AppRouter>;
export type TenantryClient = {
  [Router in keyof Client]: Router extends string ? Callable<Client[Router]> : Client[Router];
};
/** What a procedure takes: `RouterInputs['organization']['create']`. */
export type RouterInputs = inferRouterInputs<AppRouter>;
/** What a procedure answers: `RouterOutputs['organization']['one']`. */
export type RouterOutputs = inferRouterOutputs<AppRouter>;

export type ClientOptions = {
  /** Where the service answers, such as https://panel.example.com. */
  baseUrl: string;
  /** An API key. In a browser leave it out: the session cookie goes along by itself. */
  apiKey?: string;
  /** Instead of the global fetch. */
  fetch?: typeof globalThis.fetch;
};

/** The service takes this many calls in one batch. */
const MAX_BATCH = 10;
/** The inputs of queries travel in the address, and Node takes 16 kB of request line and headers. */
const MAX_URL_LENGTH = 8_000;

/**
 * A client with the types of every procedure that is served over tRPC: `client.organization.one.query({ organizationId })`.
 * Dates are Dates.
 */
export function createClient({ baseUrl, apiKey, fetch = globalThis.fetch }: ClientOptions): TenantryClient {
  return createTRPCClient<AppRouter>({
    links: [
      httpBatchLink({
        url: `${baseUrl.replace(/\/+$/, '')}/api/trpc`,
        transformer: superjson,
        maxItems: MAX_BATCH,
        maxURLLength: MAX_URL_LENGTH,
        headers: apiKey === undefined ? {} : { 'x-api-key': apiKey },
        fetch: (url, init) => fetch(url, { ...(init as RequestInit), credentials: 'include' }),
      }),
    ],
  });
}
