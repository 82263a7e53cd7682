import { createServer, type IncomingMessage } from 'node:http';
import postgres from 'postgres';
import { readSignedCookie } from '../src/auth/cookie.ts';
import { hashSecret } from '../src/kernel/secrets.ts';
import { readStatements, type Statement } from './statements.ts';

/*
 * The bare server: node:http and postgres.js, the service's own statements, the same JSON. It has no routes, no
 * checks, no errors and no log; whatever the service is slower by is what those cost.
 */

const { DATABASE_URL = '', AUTH_SECRET = '', PORT = '', DATABASE_POOL_SIZE = '10' } = process.env;

const statements = await readStatements();
const sql = postgres(DATABASE_URL, {
  max: Number(DATABASE_POOL_SIZE),
  transform: { column: { from: postgres.toCamel } },
});

type Row = Record<string, unknown>;
const send = ({ strings, values }: Statement): Promise<Row[]> => sql<Row[]>(strings, ...(values as string[]));

function callerOf({ headers }: IncomingMessage): Statement | undefined {
  const key = headers['x-api-key'];
  if (typeof key === 'string') return statements.key(hashSecret(key));
  const token = readSignedCookie(headers.cookie, 'better-auth.session_token', AUTH_SECRET);
  return token === undefined ? undefined : statements.session(token, new Date());
}

/** The row as the service shows it to its member; every organization here is on the free plan. */
function shown(userId: unknown, row: Row): Row {
  const { memberId, memberRole, memberIsDefault, memberCreatedAt, plan, ...organization } = row;
  const member = { id: memberId, organizationId: row.id, userId, role: memberRole };
  return {
    ...organization,
    role: memberRole,
    portalTier: plan ?? 'free',
    maxServers: 2,
    members: [{ ...member, isDefault: memberIsDefault, createdAt: memberCreatedAt }],
  };
}

async function answer(request: IncomingMessage): Promise<[status: number, body: unknown]> {
  if (request.url === '/health') return [200, { status: 'ok' }];
  if (request.url !== '/organization.all') return [404, null];
  const statement = callerOf(request);
  const [caller] = statement === undefined ? [] : await send(statement);
  if (caller === undefined) return [401, null];
  const rows = await send(statements.organizations(caller.userId));
  return [200, rows.map((row) => shown(caller.userId, row))];
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
