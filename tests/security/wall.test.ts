import { randomUUID } from 'node:crypto';
import postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import type { Context } from '../../src/api/context.ts';
import { appRouter } from '../../src/api/root.ts';
import { createDatabase, type Database, databaseWithin, type Transaction } from '../../src/db/client.ts';
import { migrateDatabase } from '../../src/db/migrate.ts';
import { raiseWall } from '../../src/db/wall.ts';
import { withSealing } from '../../src/domain/sealing.ts';
import { newId } from '../../src/kernel/ids.ts';
import { roleOf } from '../../src/kernel/permissions.ts';
import { type Procedure, procedures } from '../api/procedures.ts';
import { type Cast, createCast, createStage, INPUTS, type Stage } from '../api/stage.ts';
import { createHarness, type Harness, UNLIMITED } from '../support/harness.ts';
import { createVictim, fittingIds, rowsOfVictim, tablesWith, type Victim } from './victim.ts';

/* What the database does where a statement of ours forgets to say whose rows it means: see src/db/wall.ts. */

let h: Harness;
let victim: Victim;
let own: Victim;
let victimRows: Record<string, string>;
beforeAll(async () => {
  h = await createHarness(
    { MAX_ORGANIZATIONS_PER_USER: '100000', DNS_RESOLVER: '127.0.0.1:1' }, // nobody's: no name server is asked
    { rateLimiter: UNLIMITED },
  );
  await h.user(); // the rootAdmin
  victim = await createVictim(h);
  own = await createVictim(h);
  await h.app.jobs.stop();
  victimRows = await rowsOfVictim(h, victim);
});
afterAll(() => h[Symbol.asyncDispose]());

/** What belongs to tenants without saying so in an organization_id: how its rows are known. */
const BY_OTHERS: Record<string, (organizationId: string) => string> = {
  organizations: (id) => `id = '${id}'`,
  audit_chains: (id) => `id = '${id}'`,
  dns_records: (id) => `zone_id in (select id from dns_zones where organization_id = '${id}')`,
  dns_provider_zones: (id) => `name in (select name from dns_zones where organization_id = '${id}')`,
};

/** What the role may do without a policy: there is nothing of one tenant there, or it is only put there. */
const WITHOUT_POLICY: Record<string, string[]> = { jobs: ['INSERT'] };

const walled = async () => [...(await tablesWith(h, 'organization_id')), ...Object.keys(BY_OTHERS)];

describe('every table where tenants have anything', () => {
  test('has a policy', async () => {
    const policies = await h.sql<{ name: string }[]>`
      select c.relname as name from pg_class c join pg_policies p on p.tablename = c.relname
      where c.relnamespace = 'public'::regnamespace and c.relrowsecurity and p.roles = '{pg_database_owner}'`;
    expect(policies.map(({ name }) => name)).toEqual(expect.arrayContaining(await walled()));
  });

  test('and what has none is out of reach', async () => {
    const grants = await h.sql<{ name: string; rights: string[] }[]>`
      select g.table_name as name, array_agg(g.privilege_type::text order by 1) as rights
      from information_schema.table_privileges g join pg_class c on c.oid = to_regclass(g.table_name)
      where g.grantee = 'pg_database_owner' and g.table_schema = 'public' and not c.relrowsecurity
      group by 1`;
    expect(Object.fromEntries(grants.map(({ name, rights }) => [name, rights]))).toEqual(WITHOUT_POLICY);
    const columns = await h.sql<{ name: string }[]>`
      select column_name as name from information_schema.column_privileges
      where grantee = 'pg_database_owner' and table_name = 'users' order by 1`;
    expect(columns.map(({ name }) => name)).toEqual([
      'email',
      'email_verified',
      'id',
      'role',
      'suspended_at',
    ]);
  });
});

type Kept = { places: string[]; row: Record<string, unknown> };

/** Where a tenant's rows of a table lie, and one of them. */
async function keptBy({ organizationId }: Victim, table: string): Promise<Kept> {
  const condition = BY_OTHERS[table]?.(organizationId) ?? `organization_id = '${organizationId}'`;
  const rows = await h.sql.unsafe<{ place: string; row: Record<string, unknown> }[]>(
    `select ctid::text as place, to_jsonb(t) as row from ${table} t where ${condition}`,
  );
  return { places: rows.map(({ place }) => place), row: rows[0]?.row ?? {} };
}

/** The columns of a table that can be written, those that the role may change first. */
async function columnsOf(table: string): Promise<string[]> {
  const columns = await h.sql<{ name: string }[]>`
    select column_name as name from information_schema.columns
    where table_schema = 'public' and table_name = ${table} and is_generated = 'NEVER'
    order by not has_column_privilege('pg_database_owner', table_name::regclass, column_name, 'UPDATE')`;
  return columns.map(({ name }) => name);
}

/** Runs statements within the wall of an owner, each undone: how many rows it met, or that it was refused. */
function within(ownerId: string, statements: string[]): Promise<(number | 'refused')[]> {
  return inUndone(h.sql, async (tx) => {
    await raiseWall(tx as unknown as Transaction, ownerId);
    const outcomes: (number | 'refused')[] = [];
    for (const statement of statements) {
      const outcome = await inUndone(tx, (inner) => inner.unsafe(statement)).then(
        ({ count }) => count,
        (error: postgres.PostgresError) => {
          if (error.code !== '42501') throw error;
          return 'refused' as const;
        },
      );
      outcomes.push(outcome);
    }
    return outcomes;
  });
}

class Undone extends Error {
  readonly result: unknown;
  constructor(result: unknown) {
    super();
    this.result = result;
  }
}

async function inUndone<T>(
  sql: postgres.Sql | postgres.TransactionSql,
  run: (tx: postgres.TransactionSql) => Promise<T>,
): Promise<T> {
  const undo = async (tx: postgres.TransactionSql) => {
    throw new Undone(await run(tx));
  };
  try {
    await ('begin' in sql ? sql.begin(undo) : sql.savepoint(undo));
  } catch (error) {
    if (error instanceof Undone) return error.result as T;
    throw error;
  }
  throw new Error('It was not undone.');
}

const placed = (places: string[]) =>
  `ctid = any('{${places.map((place) => `"${place}"`).join(',')}}'::tid[])`;
const NONE = [0, 'refused'];

test('no statement meets a row of another tenant', async () => {
  for (const table of await walled()) {
    const [{ places, row }, [column = ''], names] = [
      await keptBy(victim, table),
      await columnsOf(table),
      (await columnsOf(table)).join(', '),
    ];
    expect(places, table).not.toEqual([]);
    const another = JSON.stringify({ ...row, ...('id' in row ? { id: newId() } : {}) }).replaceAll("'", "''");
    const outcomes = await within(own.organizationId, [
      `select 1 from ${table} where ${placed(places)}`,
      `select 1 from ${table} where ${placed(places)} for key share`,
      `update ${table} set ${column} = ${column} where ${placed(places)}`,
      `delete from ${table} where ${placed(places)}`,
    ]);
    for (const outcome of outcomes) expect(NONE, `${table}: ${outcomes}`).toContain(outcome);
    const [inserted] = await within(own.organizationId, [
      `insert into ${table} (${names}) select ${names} from jsonb_populate_record(null::${table}, '${another}')`,
    ]);
    expect([table, inserted]).toEqual([table, 'refused']);
  }
});

test('nor gives one of its own to another tenant', async () => {
  for (const table of await tablesWith(h, 'organization_id')) {
    const { places } = await keptBy(own, table);
    const given = `update ${table} set organization_id = '${victim.organizationId}' where ${placed(places)}`;
    expect([table, ...(await within(own.organizationId, [given]))]).toEqual([table, 'refused']);
  }
});

test('all of its own are there, where changes of tenants read at all', async () => {
  const read = await h.sql<{ name: string }[]>`
    select name from unnest(${await walled()}::text[]) name
    where has_table_privilege('pg_database_owner', name::regclass, 'SELECT')`;
  expect(read.length).toBeGreaterThan(12);
  for (const { name } of read) {
    const { places } = await keptBy(own, name);
    const [seen] = await within(own.organizationId, [`select 1 from ${name} where ${placed(places)}`]);
    expect([name, seen]).toEqual([name, places.length]);
  }
});

describe('the wall', () => {
  type Self = { user: string; owner: string | null };
  const self = (db: Database): Promise<Self[]> =>
    db.query(
      (sql) => sql<Self[]>`
        select current_user as user, nullif(current_setting('tenantry.owner', true), '') as owner`,
    );

  test('ends with the transaction, also with one inside another, and with what failed', async () => {
    const { database, close } = await createDatabase({ url: h.databaseUrl, poolSize: 1 });
    const [before] = await self(database);
    const raise = (tx: Transaction) => raiseWall(tx, own.organizationId);
    await database.transaction(async (tx) => {
      await raise(tx);
      const [{ user } = { user: '' }] = await tx<Self[]>`select current_user as user`;
      expect(user).toBe('pg_database_owner');
    });
    expect(await self(database)).toEqual([before]);
    await expect(
      database.transaction(async (tx) => {
        await raise(tx);
        await tx`select 1 / 0`;
      }),
    ).rejects.toThrow('division by zero');
    expect(await self(database)).toEqual([before]);
    await database.transaction(async (tx) => {
      const inner = databaseWithin(tx);
      await inner.transaction(raise);
      expect((await self(inner))[0]?.user).toBe(before?.user);
      const failed = inner.transaction(async (nested) => {
        await raise(nested);
        throw new Error('no');
      });
      await expect(failed).rejects.toThrow('no');
      expect((await self(inner))[0]?.user).toBe(before?.user);
    });
    expect(await self(database)).toEqual([before]);
    await close();
  });

  test('stands for the plain owner of a database, and nobody else gets that far', async () => {
    const admin = postgres(inject('databaseUrl'), { max: 1, onnotice: () => {} });
    const [name, stranger] = [`o_${randomUUID().slice(0, 8)}`, `s_${randomUUID().slice(0, 8)}`];
    for (const role of [name, stranger]) await admin.unsafe(`create role "${role}" login password 'x'`);
    await admin.unsafe(`create database "${name}" owner "${name}"`);
    await admin.unsafe(`grant all on database "${name}" to "${stranger}"`);
    const urlOf = (role: string) =>
      Object.assign(new URL(inject('databaseUrl')), { pathname: `/${name}`, username: role, password: 'x' })
        .href;
    try {
      await expect(migrateDatabase(urlOf(stranger))).rejects.toThrow(
        `ALTER DATABASE "${name}" OWNER TO "${stranger}"`,
      );
      await migrateDatabase(urlOf(name));
      const { database, close } = createDatabase({ url: urlOf(name), poolSize: 1 });
      const [mine, theirs] = [newId(), newId()];
      await database.query(
        (sql) => sql`
        insert into audit_chains (id, seq, seal) values (${mine}, 0, ''), (${theirs}, 0, '')`,
      );
      const seen = await database.transaction(async (tx) => {
        await raiseWall(tx, mine);
        return tx<{ id: string }[]>`select id from audit_chains`;
      });
      expect([...seen]).toEqual([{ id: mine }]);
      await close();
    } finally {
      await admin.unsafe(`drop database "${name}" with (force)`);
      for (const role of [name, stranger]) await admin.unsafe(`drop role "${role}"`);
      await admin.end();
    }
  });
});

/* The same by what the service itself sends, once it takes whatever is named for the caller's own. */

/** What then still stands in the way: the conditions on the organization in its statements, and the wall. */
type Left = { conditions: boolean; wall: boolean };

function careless(db: Database, left: Left): Database {
  const spoilt = new WeakMap<readonly string[], TemplateStringsArray>();
  function spoil(strings: TemplateStringsArray): TemplateStringsArray {
    const known = spoilt.get(strings);
    if (known !== undefined) return known;
    let texts = [...strings];
    if (!left.wall && texts[0]?.includes("set_config('role', 'pg_database_owner'"))
      texts = ['select ', '::text'];
    if (!left.conditions) {
      texts = texts.map((text) =>
        text.replace(/(?:\b\w+\.)?\borganization_id = $/, 'null::text is distinct from '),
      );
    }
    const made = Object.assign(texts, { raw: texts });
    spoilt.set(strings, made);
    return made;
  }
  const transaction: Database['transaction'] = (fn) =>
    db.transaction((tx) =>
      fn(
        new Proxy(tx, {
          apply(target, self, [first, ...rest]) {
            const isText = Array.isArray(first) && 'raw' in first;
            return Reflect.apply(target, self, [isText ? spoil(first as never) : first, ...rest]);
          },
        }),
      ),
    );
  return { ...db, transaction };
}

/** Calls every change of a tenant with every id of the victim's, as though it lay in the caller's organization. */
async function attackAll(left: Left): Promise<number> {
  const cast: Cast = await createCast(h);
  const stage: Stage = await createStage(h, cast);
  const { secret } = h.app.deps.rules;
  const deps = { ...h.app.deps, db: withSealing(careless(h.app.deps.db, left), secret) };
  const [member] = await h.sql<{ memberId: string }[]>`
    select id as member_id from memberships
    where organization_id = ${stage.organizationId} and user_id = ${cast.owner.id}`;
  const membership = {
    organizationId: stage.organizationId,
    memberId: member?.memberId ?? '',
    role: 'owner',
    grant: roleOf('owner'),
  };
  const contextOf = (kind: string | undefined, id: string): Context => ({
    ...{ deps, rateLimiter: UNLIMITED, callLimit: undefined, clientKey: '::1' },
    ...{ isForm: false, takesLines: false, ifMatch: undefined, setHeader() {}, clearSessionCookie() {} },
    origin: { ipAddress: null, userAgent: null, requestId: null },
    principal: {
      ...{ ipAddress: null, userAgent: null, requestId: null, sessionId: null, key: null, settings: null },
      ...{ userId: cast.owner.id, email: cast.owner.email, emailVerified: true, platformRole: 'user' },
      active: membership,
      place: kind === undefined ? null : { kind: kind as 'server', id, membership, isOwn: false },
    },
  });
  let calls = 0;
  async function attack({ name, meta }: Procedure, field: string, id: string): Promise<void> {
    const input = { ...(await INPUTS[name]?.({ h, cast, stage, holder: cast.owner })), [field]: id };
    const kind = meta.place?.find((place) => place.field === field)?.kind;
    const [router = '', verb = ''] = name.split('.');
    const caller = appRouter.createCaller(contextOf(kind, id)) as unknown as Record<
      string,
      Record<string, (input: unknown) => Promise<unknown>>
    >;
    calls += 1;
    await caller[router]?.[verb]?.(input).catch(() => {}); // what was refused has changed nothing
  }
  for (const procedure of procedures) {
    const access = procedure.meta.access ?? '';
    if (procedure.type !== 'mutation' || !access.includes(':') || access.startsWith('platform:')) continue;
    for (const field of procedure.fields.filter(
      (name) => /[a-z]Id$/.test(name) && name !== 'organizationId',
    )) {
      for (const id of fittingIds(victim, field)) await attack(procedure, field, id);
    }
  }
  return calls;
}

const ALONE: [what: string, left: Left][] = [
  ['the conditions in its statements', { conditions: true, wall: false }],
  ['the wall', { conditions: false, wall: true }],
];
test.each(ALONE)('with %s alone, all of another tenant stays as it was', async (_, left) => {
  expect(await attackAll(left)).toBeGreaterThan(40);
  expect(await rowsOfVictim(h, victim)).toEqual(victimRows);
});

test('without both it would not be', async () => {
  await attackAll({ conditions: false, wall: false });
  const after = await rowsOfVictim(h, victim);
  const changed = Object.keys(victimRows).filter((table) => after[table] !== victimRows[table]);
  expect(changed).toEqual(
    expect.arrayContaining(['deployments', 'dns_zones', 'servers', 'ssh_keys', 'webhooks']),
  );
});
