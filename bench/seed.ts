import { createHmac } from 'node:crypto';
import type postgres from 'postgres';

export const SECRET = 'a-secret-for-measuring-that-is-long-enough';

const USERS = 10_000;
/** Somebody in the middle of every table. */
const MEASURED = 5_000;
/** The measured user belongs to a personal organization and to two of others. */
const OTHERS = [4_000, 6_000];

/** What the cases send and expect. */
export type Seeded = {
  cookie: string;
  key: string;
  organizations: number;
};

const keyOf = (user: number) => `tenantry_measured_${user}`;
const tokenOf = (user: number) => `session-of-user-${user}`;

/** The session cookie as better-auth writes it. */
function cookieOf(token: string): string {
  const signature = createHmac('sha256', SECRET).update(token).digest('base64');
  return `better-auth.session_token=${encodeURIComponent(`${token}.${signature}`)}`;
}

/** Fills an empty, migrated database: users with one session, one key and one organization each, in one transaction. */
export async function seed(sql: postgres.Sql): Promise<Seeded> {
  await sql.begin(async (tx) => {
    await tx`
      create temp table numbered on commit drop as
      select n, uuidv7() as user_id, uuidv7() as organization_id from generate_series(1, ${USERS}::int) n`;
    await tx`
      insert into users (id, email, email_verified, name)
      select user_id, 'user' || n || '@example.org', true, 'User ' || n from numbered`;
    await tx`
      insert into organizations (id, name, slug, handle, owner_id)
      select organization_id, 'Organization ' || n, 'organization-' || n, 'organization-' || n || '.example.org', user_id
      from numbered`;
    await tx`
      insert into memberships (id, organization_id, user_id, role, is_default)
      select uuidv7(), organization_id, user_id, 'owner', true from numbered`;
    await tx`
      insert into memberships (id, organization_id, user_id, role)
      select uuidv7(), other.organization_id, one.user_id, 'member'
      from numbered one, numbered other where one.n = ${MEASURED} and other.n = any(${OTHERS}::int[])`;
    await tx`
      insert into sessions (id, token, user_id, expires_at)
      select uuidv7(), 'session-of-user-' || n, user_id, now() + interval '7 days' from numbered`;
    await tx`
      insert into api_keys (id, user_id, name, start, key_hash, scope, active_organization_id)
      select uuidv7(), user_id, 'measured', 'tenantry_', encode(sha256(('tenantry_measured_' || n)::bytea), 'hex'),
        'user', organization_id
      from numbered`;
  });
  await sql`vacuum analyze`;
  return {
    cookie: cookieOf(tokenOf(MEASURED)),
    key: keyOf(MEASURED),
    organizations: 1 + OTHERS.length,
  };
}
