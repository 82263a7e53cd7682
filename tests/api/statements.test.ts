import { NIL } from 'uuid';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createHarness, type Harness, statuses, times, UNLIMITED } from '../support/harness.ts';
import { call, type Procedure, procedures } from './procedures.ts';
import { type Cast, createCast, createStage, INPUTS, type Stage } from './stage.ts';

/*
 * How often a read asks the database: once who calls and in which organization, and once for what is wanted. Counted by
 * the database itself, for callers whose active organization is another one.
 */

/** Those that ask more than twice, and how often. */
const MORE: Record<string, number> = {
  'user.get': 4, // the account, the membership and the keys, in one answer as Dokploy wants it
  'user.export': 12, // everything there is of an account
  'organization.deletePreview': 3, // what would go, and what stands in the way
  'node.available': 3, // the tier decides which nodes are asked for
  'dnsZone.export': 3, // the zone, and its records
  'dnsZone.plan': 3,
  'auditLog.export': 3, // piece by piece
  'auditLog.verify': 3,
};

let h: Harness;
let cast: Cast;
let stage: Stage;
let canCount: boolean;
/** Other files of tests use the same server, and this module keeps what is counted of all its databases. */
const inDatabase = (sql: Harness['sql']) =>
  sql`(select oid from pg_database where datname = current_database())`;
beforeAll(async () => {
  h = await createHarness({ MAX_ORGANIZATIONS_PER_USER: '100000' }, { rateLimiter: UNLIMITED });
  await h.app.jobs.stop();
  const [loaded] = await h.sql<
    { names: string }[]
  >`select current_setting('shared_preload_libraries') as names`;
  canCount = loaded?.names.includes('pg_stat_statements') ?? false;
  if (canCount) await h.sql`create extension pg_stat_statements`;
  cast = await createCast(h);
  stage = await createStage(h, cast);
});
afterAll(() => h[Symbol.asyncDispose]());

/** The statements that the service sends for this; what it does by the clock may come between, so the least of three. */
async function statementsOf(run: () => Promise<unknown>): Promise<string[]> {
  const counts: string[][] = [];
  for (const _ of times(3, String)) {
    await h.sql`select pg_stat_statements_reset(0, ${inDatabase(h.sql)})`;
    await run();
    const rows = await h.sql<{ query: string; calls: number }[]>`
      select query, calls::int from pg_stat_statements
      where dbid = ${inDatabase(h.sql)} and query not like '%pg_stat_statements%'`;
    counts.push(rows.flatMap(({ query, calls }) => times(calls, () => query)));
  }
  return counts.toSorted((a, b) => a.length - b.length)[0] ?? [];
}

const reads = procedures.filter(({ type }) => type === 'query');

async function inputOf({ name }: Procedure, holder: Cast['owner']) {
  const input = await INPUTS[name]?.({ h, cast, stage, holder });
  return input ?? {};
}

test.for(reads)('$name', async (procedure, { skip }) => {
  skip(!canCount, 'the server was started without pg_stat_statements');
  const holder = procedure.meta.access?.startsWith('platform:') ? cast.root : cast.owner;
  const input = await inputOf(procedure, holder);
  for (const caller of [holder, await h.key(holder, { scope: 'user' })]) {
    const statements = await statementsOf(async () =>
      expect((await call(caller, procedure, input)).status).toBe(200),
    );
    expect(statements.length, statements.join('\n')).toBeLessThanOrEqual(MORE[procedure.name] ?? 2);
  }
});

test('a caller’s reads that come together find him together', async ({ skip }) => {
  skip(!canCount, 'the server was started without pg_stat_statements');
  const { organizationId } = stage;
  const statements = await statementsOf(async () => {
    const replies = times(32, () => cast.owner.get('organization.one', { organizationId }));
    expect(statuses(await Promise.all(replies))).toEqual(times(32, () => 200));
  });
  const ofCaller = statements.filter((text) => text.includes('from sessions s'));
  expect(ofCaller.length).toBeGreaterThan(0);
  expect(ofCaller.length).toBeLessThan(24);
});

test('a page of five thousand members costs what a page of fifty does, the first and the last', async ({
  skip,
}) => {
  skip(!canCount, 'the server was started without pg_stat_statements');
  await using one = await createHarness({ DATABASE_POOL_SIZE: '1' });
  const { id: organizationId, owner } = await one.organization();
  // Most organizations are small, which is what PostgreSQL expects of this one.
  await one.sql.begin(async (tx) => {
    await tx`
      create temp table people on commit drop as
      select n, gen_random_uuid() as id, gen_random_uuid() as own from generate_series(1, 5000) n`;
    await tx`
      insert into users (id, email, email_verified, name)
      select id, 'many' || n || '@example.org', true, 'Many' from people`;
    await tx`
      insert into organizations (id, name, slug, handle, owner_id)
      select own, 'Small', 'small-' || n, 'small-' || n || '.example.org', id from people`;
    await tx`
      insert into memberships (id, organization_id, user_id, role, is_default)
      select gen_random_uuid(), own, id, 'owner', true from people
      union all select gen_random_uuid(), ${organizationId}::uuid, id, 'member', false from people`;
  });
  await one.sql`analyze memberships, users`;
  await one.sql`create extension pg_stat_statements`;
  const [last] = await one.sql<{ id: string }[]>`
    select id from memberships where organization_id = ${organizationId} order by id desc offset 50 limit 1`;
  for (const cursor of [NIL, last?.id ?? '']) {
    const read = () => owner.get('organization.members', { organizationId, limit: 50, cursor });
    for (const _ of times(8, String)) await read(); // from the sixth on it has one plan for all organizations
    await one.sql`select pg_stat_statements_reset(0, ${inDatabase(one.sql)})`;
    expect((await read()).body.items).toHaveLength(50);
    const [found] = await one.sql<{ blocks: number }[]>`
      select (shared_blks_hit + shared_blks_read)::int as blocks from pg_stat_statements
      where dbid = ${inDatabase(one.sql)}
        and query like '%cross join lateral%' and query not like '%pg_stat_statements%'`;
    expect(found?.blocks).toBeGreaterThan(0);
    expect(found?.blocks).toBeLessThan(1_000); // three or four for each member; all of them are twenty thousand
  }
});
