import { createServer, type IncomingMessage } from 'node:http';
import postgres from 'postgres';
import { readSignedCookie } from '../src/auth/cookie.ts';
import { hashSecret } from '../src/kernel/secrets.ts';
import { readStatements, type Statement } from './statements.ts';

/*
 * The bare server: node:http and postgres.js, the service's own statements, and their rows as JSON. It has no routes, no
 * checks, no errors and no log; whatever the service is slower by is what those cost.
 */

const { DATABASE_URL = '', AUTH_SECRET = '', PORT = '', DATABASE_POOL_SIZE = '10' } = process.env;

const { callers, ...statements } = await readStatements(DATABASE_URL);
const sql = postgres(DATABASE_URL, {
  max: Number(DATABASE_POOL_SIZE),
  transform: { column: { from: postgres.toCamel } },
});

type Row = Record<string, unknown>;
const send = ({ text, parametersFor }: Statement, ...values: unknown[]): Promise<Row[]> =>
  sql.unsafe<Row[]>(text, parametersFor(...values) as string[], { prepare: true });

async function callerOf(
  { headers }: IncomingMessage,
  organizationId: string | null,
): Promise<Row | undefined> {
  const { session, key } = organizationId === null ? callers.alone : callers.inOrganization;
  const secret = headers['x-api-key'];
  if (typeof secret === 'string') return (await send(key, hashSecret(secret), new Date(), organizationId))[0];
  const token = readSignedCookie(headers.cookie, 'better-auth.session_token', AUTH_SECRET);
  return token === undefined ? undefined : (await send(session, token, new Date(), organizationId))[0];
}

/** What the rows of each read hold besides those of the caller. */
const READS = {
  '/organization.all': (userId: unknown) => send(statements.organizations, userId),
  '/organization.one': (_: unknown, organizationId: unknown) => send(statements.organization, organizationId),
  '/organization.members': (_: unknown, organizationId: unknown) => send(statements.members, organizationId),
  '/organization.allInvitations': (_: unknown, organizationId: unknown) =>
    send(statements.invitations, organizationId),
};

async function answer(request: IncomingMessage): Promise<[status: number, body: unknown]> {
  const [path = '', search] = (request.url ?? '').split('?');
  if (path === '/health') return [200, { status: 'ok' }];
  const read = READS[path as keyof typeof READS];
  const organizationId = new URLSearchParams(search).get('organizationId');
  const caller = await callerOf(request, organizationId);
  return caller === undefined ? [401, null] : [200, await read(caller.userId, organizationId)];
}

createServer(async (request, response) => {
  const [status, body] = await answer(request);
  const text = JSON.stringify(body);
  response
    .writeHead(status, {
      'content-type': 'application/json; charset=utf-8',
      'content-length': Buffer.byteLength(text),
    })
    .end(text);
}).listen(Number(PORT), '127.0.0.1');
