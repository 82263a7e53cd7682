import { createHmac } from 'node:crypto';
import { createServer } from 'node:http';
import { apiKey } from '@better-auth/api-key';
import { betterAuth } from 'better-auth';
import { getMigrations } from 'better-auth/db/migration';
import { toNodeHandler } from 'better-auth/node';
import { organization } from 'better-auth/plugins';
import pg from 'pg';

/*
 * What somebody would pick instead: better-auth with its plugins for organizations and API keys as they come, on a
 * database of its own with as many rows. `GET /seeded` says what the cases need.
 */

const { DATABASE_URL, AUTH_SECRET, PORT, USERS = '10000' } = process.env;
const [CALLERS, MEMBERS, INVITATIONS] = [2_000, 100, 20];
const users = Number(USERS);
const half = users / 2;
const measured = Math.floor(half / 2);
const PASSWORD = 'Correct-horse-1';

const pool = new pg.Pool({ connectionString: DATABASE_URL, max: 10 });
const auth = betterAuth({
  baseURL: `http://127.0.0.1:${PORT}`,
  secret: AUTH_SECRET,
  database: pool,
  trustedOrigins: ['http://localhost:3000'],
  emailAndPassword: { enabled: true },
  rateLimit: { enabled: false },
  telemetry: { enabled: false },
  plugins: [
    organization({ organizationLimit: 1_000_000, membershipLimit: 1_000_000, invitationLimit: 1_000_000 }),
    apiKey({ enableSessionForAPIKeys: true, rateLimit: { enabled: false } }),
  ],
});
const { runMigrations } = await getMigrations(auth.options);
await runMigrations();

const context = await auth.$context;
const hash = await context.password.hash(PASSWORD);
await pool.query(
  `insert into "user" (id, name, email, "emailVerified", "createdAt", "updatedAt")
   select 'u' || n, 'User ' || n, 'user' || n || '@example.org', true, now(), now() from generate_series(1, $1::int) n`,
  [users],
);
await pool.query(
  `insert into account (id, "userId", "accountId", "providerId", password, "createdAt", "updatedAt")
   select 'a' || n, 'u' || n, 'u' || n, 'credential', $2, now(), now() from generate_series(1, $1::int) n`,
  [users, hash],
);
await pool.query(
  `insert into session (id, "userId", token, "expiresAt", "createdAt", "updatedAt")
   select 's' || n, 'u' || n, 'session-of-user-' || n, now() + interval '7 days', now(), now()
   from generate_series(1, $1::int) n`,
  [users],
);
await pool.query(
  `insert into organization (id, name, slug, "createdAt")
   select 'o' || n, 'Organization ' || n, 'organization-' || n, now() from generate_series(1, $1::int) n`,
  [half],
);
await pool.query(
  `insert into member (id, "organizationId", "userId", role, "createdAt")
   select 'm' || n || '-' || other, 'o' || n, 'u' || other, case when n = other then 'owner' else 'member' end, now()
   from generate_series(1, $1::int) n,
     unnest(array[n, (n % $1::int) + 1, ((n + 1) % $1::int) + 1, n + $1::int]) other`,
  [half],
);
await pool.query(
  `insert into member (id, "organizationId", "userId", role, "createdAt")
   select 'x' || n, 'o' || $1::int, 'u' || n, 'member', now() from generate_series($2::int + 1, $2::int + $3::int) n
   where n <> $1::int + $2::int`,
  [measured, half, MEMBERS - 4],
);
await pool.query(
  `insert into invitation (id, "organizationId", email, role, status, "inviterId", "expiresAt", "createdAt")
   select 'i' || n, 'o' || $1::int, 'guest' || n || '@example.net', 'member', 'pending', 'u' || $1::int,
     now() + interval '2 days', now()
   from generate_series(1, $2::int) n`,
  [measured, INVITATIONS],
);
const { key } = await auth.api.createApiKey({ body: { userId: `u${measured}`, name: 'measured' } });
await pool.query('vacuum analyze');

function cookieOf(n) {
  const token = `session-of-user-${n}`;
  const signature = createHmac('sha256', AUTH_SECRET).update(token).digest('base64');
  return `better-auth.session_token=${encodeURIComponent(`${token}.${signature}`)}`;
}
const owners = [];
for (let n = 1; n <= CALLERS; n += 1) {
  owners.push({
    cookie: cookieOf(n),
    email: `user${n}@example.org`,
    organizationId: `o${n}`,
    memberId: `m${n}-${n + half}`,
  });
}
const seeded = { cookie: cookieOf(measured), key, organizationId: `o${measured}`, organizations: 3, owners };

const handle = toNodeHandler(auth);
createServer((request, response) => {
  if (request.url === '/health') response.end('{}');
  else if (request.url === '/seeded') response.end(JSON.stringify(seeded));
  else handle(request, response);
}).listen(Number(PORT), '127.0.0.1');
