import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { call, type Procedure, procedures } from '../api/procedures.ts';
import { type Cast, createCast, createStage, INPUTS, keepSessions, type Stage } from '../api/stage.ts';
import { type Caller, createHarness, type Harness, type Reply, UNLIMITED } from '../support/harness.ts';
import { faultsOf, fieldSchemas } from '../support/openapi.ts';
import { fuzzing, tell } from '../support/rounds.ts';
import { changesOf } from './inputs.ts';
import { createVictim, fittingIds, rowsOfVictim, tablesWith, type Victim } from './victim.ts';

/*
 * Every procedure is sent what nobody thought of: each field of its document with values of its type, of its edges and of
 * no type, ids of another tenant in any place, and every column of the database besides. Whatever comes back is what
 * openapi.json says may come back, soon, and is no fault; and the other tenant is as he was.
 */

const SOON_MS = 5_000;
/** An RSA key is looked for by chance. */
const RSA_MS = 40_000;

let calls = 0;

let h: Harness;
let cast: Cast;
const TENANTS = ['session', 'key', 'anonymous'] as const;
type CallerName = (typeof TENANTS)[number] | 'root';
let callers: Record<CallerName, Caller>;
let restoreSessions: () => Promise<void>;
let columns: string[];
let victim: Victim;
let victimRows: Record<string, string>;
beforeAll(async () => {
  h = await createHarness(
    { MAX_ORGANIZATIONS_PER_USER: '100000', DNS_RESOLVER: '127.0.0.1:1' }, // nobody's: no name server is asked
    { rateLimiter: UNLIMITED },
  );
  cast = await createCast(h);
  callers = {
    anonymous: h.anonymous,
    session: cast.owner,
    key: await h.key(cast.owner, { scope: 'user' }),
    root: cast.root,
  };
  columns = (
    await h.sql<{ name: string }[]>`select distinct column_name as name from information_schema.columns
      where table_schema = 'public' order by 1`
  ).flatMap(({ name }) => [...new Set([name, name.replace(/_(.)/g, (_, letter) => letter.toUpperCase())])]);
  victim = await createVictim(h);
  victimRows = await rowsOfVictim(h, victim);
  restoreSessions = await keepSessions(h);
});
afterAll(() => h[Symbol.asyncDispose]());

/** Those, or any other ids of the victim's. */
function idsFor(field: string): fc.Arbitrary<string> {
  const [all, fitting] = [victim.ids.map(({ id }) => id), fittingIds(victim, field)];
  return fc.oneof(fc.constantFrom(...all), fc.constantFrom(...(fitting.length === 0 ? all : fitting)));
}

test('the other tenant has something in every table where tenants have anything', async () => {
  expect(Object.keys(victimRows)).toEqual(expect.arrayContaining(await tablesWith(h, 'organization_id')));
});

type Sent = Record<string, unknown>;

/** As far as a form or a query can be sent at all. */
const sendable = ({ type }: Procedure, input: Sent): Sent =>
  Object.fromEntries(
    Object.entries(input).flatMap(([name, value]) => {
      if (value === undefined) return [];
      if (type !== 'query') return [[name, value]];
      return [[name, (typeof value === 'string' ? value : JSON.stringify(value)).slice(0, 300)]];
    }),
  );

async function send(procedure: Procedure, caller: Caller, input: Sent): Promise<Reply> {
  const started = performance.now();
  const reply = await call(caller, procedure, sendable(procedure, input));
  calls += 1;
  const boundMs = procedure.name === 'sshKey.generate' ? RSA_MS : SOON_MS;
  expect(performance.now() - started).toBeLessThan(boundMs);
  expect(reply.status, reply.text).not.toBe(500);
  expect(faultsOf(procedure.name, reply)).toEqual([]);
  return reply;
}

/** In as many objects as a query has room for. */
function everyColumn({ type, fields }: Procedure, value: unknown): Sent[] {
  const names = columns.filter((name) => !fields.includes(name));
  const size = type === 'query' ? 150 : names.length;
  return Array.from({ length: Math.ceil(names.length / size) }, (_, i) =>
    Object.fromEntries(names.slice(i * size, (i + 1) * size).map((name) => [name, value])),
  );
}

/** Would have the service send to the outside. */
const LEFT_AS_IT_IS = new Set(['webhook.create active', 'webhook.update active']);

test.each(procedures)('$name', { timeout: 600_000 }, async (procedure) => {
  const { name } = procedure;
  let stage: Stage | undefined;
  const statuses = new Set<number>();
  async function attempt(who: CallerName, change: Sent): Promise<void> {
    stage ??= await createStage(h, cast);
    const holder = who === 'root' ? cast.root : cast.owner;
    const input = await INPUTS[name]?.({ h, cast, stage, holder });
    const reply = await send(procedure, callers[who], { ...input, ...change });
    statuses.add(reply.status);
    if (procedure.type === 'query' || reply.status !== 200) return;
    await restoreSessions();
    stage = undefined; // there may be nothing left of it
  }

  const fields = Object.fromEntries(
    Object.entries(fieldSchemas(name)).filter(([field]) => !LEFT_AS_IT_IS.has(`${name} ${field}`)),
  );
  for (const who of ['root', ...TENANTS] as const) await attempt(who, {});
  for (const value of procedure.type === 'query' ? [victim.organizationId] : [victim.organizationId, true]) {
    for (const extra of everyColumn(procedure, value)) await attempt('session', extra);
  }
  for (const field of Object.keys(fields).filter((key) => key.endsWith('Id'))) {
    for (const id of fittingIds(victim, field)) await attempt('session', { [field]: id });
  }
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom<CallerName>('session', 'session', 'key', ...TENANTS),
      changesOf(fields, idsFor),
      attempt,
    ),
    { ...fuzzing(3), endOnFailure: true },
  );
  await fc.assert(
    fc.asyncProperty(
      changesOf(fields, () => fc.uuid()),
      (change) => attempt('root', change),
    ),
    { ...fuzzing(2), endOnFailure: true },
  );
  expect([...statuses]).toContain(200);
  expect(await rowsOfVictim(h, victim)).toEqual(victimRows);
  await h.sql`delete from settings`;
  await h.sql`delete from api_keys where name not in ('test')`; // an account has at most 100
});

test('nobody has become more than he was', async () => {
  const platform = await h.sql<{ id: string }[]>`select id from users where role = 'rootAdmin'`;
  expect(platform).toEqual([{ id: cast.root.id }]);
  tell('Generated input', { procedures: procedures.length, requests: calls });
});
