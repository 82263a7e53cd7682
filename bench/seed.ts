import { createHmac } from 'node:crypto';
import type postgres from 'postgres';

export const SECRET = 'a-secret-for-measuring-that-is-long-enough';

/** How many organizations have a caller of their own among those that change something. */
const CALLERS = 2_000;
/** Members of the organization that is read, where there are users enough, and its open invitations. */
const membersOf = (users: number) => (users >= 1_000_000 ? 100_000 : 100);
const INVITATIONS = 20;

/** Whoever owns an organization, and a member of it. */
export type Owner = {
  cookie: string;
  email: string;
  organizationId: string;
  memberId: string;
  zoneId: string;
};

/** What the cases send and expect: one who reads, and many who change something. */
export type Seeded = {
  cookie: string;
  key: string;
  organizationId: string;
  /** Of the one who reads. */
  organizations: number;
  /** The cursor of the last hundred members of the organization. */
  lastPage: string;
  owners: Owner[];
};

const keyOf = (user: number) => `tenantry_measured_${user}`;
const tokenOf = (user: number) => `session-of-user-${user}`;

/** The session cookie as better-auth writes it. */
function cookieOf(token: string): string {
  const signature = createHmac('sha256', SECRET).update(token).digest('base64');
  return `better-auth.session_token=${encodeURIComponent(`${token}.${signature}`)}`;
}

/** Everybody's password. */
export const PASSWORD = 'Correct-horse-1';

/**
 * Fills an empty, migrated database, in one transaction. Every user has a session and a key; each of the first half owns
 * an organization on the plan without limits, and belongs to those of the two before; with a member of the other half
 * that makes twice as many memberships as users.
 */
export async function seed(sql: postgres.Sql, users: number, passwordHash: string): Promise<Seeded> {
  const half = users / 2;
  const measured = Math.floor(half / 2);
  await sql.begin(async (tx) => {
    await tx`set local statement_timeout = 0`;
    await tx`
      create temp table numbered on commit drop as
      select n, uuidv7() as user_id, uuidv7() as organization_id, 'organization-' || n as handle
      from generate_series(1, ${users}::int) n`;
    await tx`create unique index on numbered (n)`;
    await tx`analyze numbered`;
    await tx`
      insert into users (id, email, email_verified, name)
      select user_id, 'user' || n || '@example.org', true, 'User ' || n from numbered`;
    await tx`
      insert into accounts (id, user_id, account_id, provider_id, password)
      select uuidv7(), user_id, user_id, 'credential', ${passwordHash} from numbered`;
    await tx`
      insert into organizations (id, name, slug, handle, owner_id)
      select organization_id, 'Organization ' || n, handle, handle || '.example.org', user_id
      from numbered where n <= ${half}`;
    await tx`
      insert into licenses (id, key_hash, plan, organization_id)
      select uuidv7(), 'license ' || n, 'enterprise', organization_id from numbered where n <= ${half}`;
    await tx`
      insert into memberships (id, organization_id, user_id, role, is_default)
      select uuidv7(), organization_id, user_id, 'owner', true from numbered where n <= ${half}`;
    await tx`
      insert into memberships (id, organization_id, user_id, role, is_default)
      select uuidv7(), one.organization_id, other.user_id, 'member', other.n > ${half}
      from numbered one
      join numbered other on other.n = any(array[(one.n % ${half}) + 1, ((one.n + 1) % ${half}) + 1, one.n + ${half}::int])
      where one.n <= ${half}`;
    await tx`
      insert into memberships (id, organization_id, user_id, role)
      select uuidv7(), one.organization_id, other.user_id, 'member'
      from numbered one, numbered other
      where one.n = ${measured} and other.n > ${half} and other.n <> ${measured + half}
      order by other.n limit ${membersOf(users) - 4}`;
    await tx`
      insert into invitations (id, organization_id, email, role, inviter_id, token_hash, expires_at)
      select uuidv7(), organization_id, 'guest' || i || '@example.net', 'member', user_id, 'token ' || i,
        now() + interval '2 days'
      from numbered, generate_series(1, ${INVITATIONS}::int) i where n = ${measured}`;
    await tx`
      insert into dns_zones (id, organization_id, name, provider, challenge, verified_at)
      select uuidv7(), organization_id, handle || '.example.org', 'custom', 'challenge ' || n, now()
      from numbered where n <= ${CALLERS}`;
    await tx`
      insert into dns_provider_zones (provider, name, synced_version, next_attempt_at)
      select provider, name, 1, now() + interval '1 day' from dns_zones`;
    await tx`
      insert into sessions (id, token, user_id, expires_at)
      select uuidv7(), 'session-of-user-' || n, user_id, now() + interval '7 days' from numbered`;
    await tx`
      insert into api_keys (id, user_id, name, start, key_hash, scope)
      select uuidv7(), user_id, 'measured', 'tenantry_', encode(sha256(('tenantry_measured_' || n)::bytea), 'hex'),
        'user'
      from numbered`;
    await tx`
      insert into nodes (id, name, pool, memory_mb, disk_mb, cpu_percent, token_hash, last_heartbeat_at)
      select uuidv7(), 'n' || n, 'free_and_paid', 1000000000, 1000000000, 1000000000, 'token ' || n,
        now() + interval '1 day'
      from generate_series(1, 10) n`;
  });
  await sql`vacuum analyze`;
  type Row = { n: number; email: string; organizationId: string; memberId: string; zoneId: string };
  const rows = await sql<Row[]>`
    select substring(u.email from 5 for position('@' in u.email) - 5)::int as n, u.email,
      o.id as "organizationId", m.id as "memberId", z.id as "zoneId"
    from dns_zones z join organizations o on o.id = z.organization_id join users u on u.id = o.owner_id
    join memberships m on m.organization_id = o.id and m.role = 'member' and m.is_default`;
  const [{ organizationId = '', organizations = 0 } = {}] = await sql<
    { organizationId: string; organizations: number }[]
  >`
    select o.id as "organizationId", count(*)::int as organizations
    from organizations o join memberships m on m.user_id = o.owner_id
    where o.slug = ${`organization-${measured}`} group by o.id`;
  const [{ lastPage = '' } = {}] = await sql<{ lastPage: string }[]>`
    select id as "lastPage" from memberships where organization_id = ${organizationId}
    order by id desc offset 100 limit 1`;
  return {
    cookie: cookieOf(tokenOf(measured)),
    key: keyOf(measured),
    organizationId,
    organizations,
    lastPage,
    owners: rows.map(({ n, ...owner }) => ({ ...owner, cookie: cookieOf(tokenOf(n)) })),
  };
}
