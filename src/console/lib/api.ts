import { getUntypedClient, type TRPCClient, TRPCClientError } from '@trpc/client';
import { type AppRouter, createClient, type RouterInputs, type RouterOutputs } from '../../client/index.ts';
import { texts } from '../texts.ts';
import { doubted, lost, reached } from './connection.ts';

type Procedures = AppRouter['_def']['record'];
type PathOf<Kind extends 'query' | 'mutation'> = {
  [R in keyof Procedures & string]: {
    [N in keyof Procedures[R] & string]: Procedures[R][N] extends { _def: { type: Kind } }
      ? `${R}.${N}`
      : never;
  }[keyof Procedures[R] & string];
}[keyof Procedures & string];
export type QueryPath = PathOf<'query'>;
export type MutationPath = PathOf<'mutation'>;

/** What the procedure of a dotted name takes and answers. */
export type InputOf<P extends string> = P extends `${infer R extends keyof RouterInputs}.${infer N}`
  ? N extends keyof RouterInputs[R]
    ? RouterInputs[R][N]
    : never
  : never;
export type OutputOf<P extends string> = P extends `${infer R extends keyof RouterOutputs}.${infer N}`
  ? N extends keyof RouterOutputs[R]
    ? RouterOutputs[R][N]
    : never
  : never;

/** A refusal of the service, or that it could not be reached. */
export class CallError extends Error {
  override name = 'CallError';
  /** A stable word; `connection` when there was no answer. */
  readonly reason: string;
  readonly status: number;
  /** Messages by the input field that they are about. */
  readonly fields: Readonly<Record<string, string>>;

  constructor(
    message: string,
    reason: string,
    status: number,
    issues: readonly Issue[] = [],
    input?: unknown,
  ) {
    super(message);
    this.reason = reason;
    this.status = status;
    const fields: Record<string, string> = {};
    for (const issue of issues) {
      const [name, text] = [String(issue.path[0] ?? ''), textOf(issue, input)];
      fields[name] = name in fields ? `${fields[name]} ${text}` : text;
    }
    this.fields = fields;
  }
}
type Issue = { path: (string | number)[]; message: string };

/** What is wrong; of a field that holds many, with the one that is meant. */
function textOf({ path, message }: Issue, input: unknown): string {
  const at = (value: unknown, key: string | number) =>
    (value as Record<string | number, unknown> | null)?.[key];
  const meant = path.length > 1 ? path.reduce<unknown>(at, input) : undefined;
  return typeof meant === 'string' ? `“${meant}”: ${message}` : message;
}

const unreachable = () => new CallError(texts.connection.failed, 'connection', 0);

/** What proxies answer, in pages of their own, while there is nothing behind them. */
const GATEWAY = [502, 503, 504];
const isJson = ({ headers }: Response): boolean => headers.get('content-type')?.includes('json') ?? false;

/** Every request of the console, so that it knows whether the service can be reached. */
async function send(url: URL | RequestInfo, init?: RequestInit): Promise<Response> {
  try {
    const response = await fetch(url, init);
    if (GATEWAY.includes(response.status) && !isJson(response)) void doubted();
    else reached();
    return response;
  } catch (error) {
    if (!(init?.signal?.aborted ?? false)) lost();
    throw error;
  }
}

/** By names as they come; what the client's type leaves out is not asked for. */
const client = getUntypedClient(createClient({ baseUrl: '', fetch: send }) as TRPCClient<AppRouter>);

function asCallError(error: unknown, input: unknown): CallError {
  if (error instanceof CallError) return error;
  if (!(error instanceof TRPCClientError) || !error.data) return unreachable();
  const { reason, httpStatus, issues } = error.data;
  return new CallError(error.message, reason, httpStatus, issues, input);
}

/** Asks a query by its name, over the published client. */
export const query = <P extends QueryPath>(path: P, input: InputOf<P>, signal?: AbortSignal) =>
  client.query(path, input, signal === undefined ? {} : { signal }).catch((error: unknown) => {
    throw asCallError(error, input);
  }) as Promise<OutputOf<P>>;

/** Calls a mutation by its name, over the published client. */
export const mutate = <P extends MutationPath>(path: P, input: InputOf<P>) =>
  client.mutation(path, input).catch((error: unknown) => {
    throw asCallError(error, input);
  }) as Promise<OutputOf<P>>;

async function answerOf(sent: Promise<Response>): Promise<unknown> {
  const fail = () => {
    throw unreachable();
  };
  const response = await sent.catch(fail);
  const body = await response.json().catch(fail); // what stands in front of the service has pages of its own
  if (response.ok) return body;
  if (typeof body?.data?.reason !== 'string') throw unreachable();
  throw new CallError(body.message, body.data.reason, response.status, body.issues);
}

/** Posts JSON to `/api/<path>`: what is no procedure, such as signing in. */
export const post = (path: string, body: object): Promise<unknown> =>
  answerOf(
    send(`/api/${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    }),
  );

/** Posts a form with a file. */
export const upload = (path: string, form: FormData): Promise<unknown> =>
  answerOf(send(`/api/${path}`, { method: 'POST', body: form }));
