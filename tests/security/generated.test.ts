import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { call, type Procedure, procedures } from '../api/procedures.ts';
import {
  type Cast,
  createCast,
  createStage,
  INPUTS,
  invite,
  keepSessions,
  newDeliveryOf,
  newDeploymentOf,
  newEnrolment,
  newNodeOf,
  newRecordOf,
  newRoleOf,
  newServerOf,
  newSshKeyOf,
  newTunnelAllocationOf,
  newTunnelDeviceOf,
  type Stage,
} from '../api/stage.ts';
import { type Caller, createHarness, type Harness, type Reply, UNLIMITED } from '../support/harness.ts';
import { faultsOf, fieldSchemas } from '../support/openapi.ts';
import { fuzzing, tell } from '../support/rounds.ts';
import { changesOf } from './inputs.ts';

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
let victim: { organizationId: string; ids: { table: string; id: string }[] };
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
  victim = await createVictim();
  victimRows = await rowsOfVictim();
  restoreSessions = await keepSessions(h);
});
afterAll(() => h[Symbol.asyncDispose]());

const tablesWith = async (column: string): Promise<string[]> =>
  (
    await h.sql<{ name: string }[]>`select table_name as name from information_schema.columns
      where table_schema = 'public' and column_name = ${column} order by 1`
  ).map(({ name }) => name);

/** An organization that has something of everything, and the ids of all of it. */
async function createVictim() {
  const { id: organizationId, owner, join } = await h.organization();
  await Promise.all([join('admin'), join('member')]);
  await newRoleOf(h, organizationId, 'Theirs');
  await newDeploymentOf(h, organizationId); // with a license
  await newNodeOf(h, organizationId);
  await newServerOf(h, organizationId);
  await newSshKeyOf(h, organizationId);
  await newTunnelAllocationOf(h, organizationId); // with a device
  await newTunnelDeviceOf(h, { organizationId });
  await newEnrolment(h, { approvedBy: owner.id, organizationId });
  await h.sql`update tunnel_enrolments set expires_at = now() + interval '1 day'`;
  const { zoneId, recordId } = await newRecordOf(h, organizationId);
  await invite(owner, organizationId);
  await h.key(owner, { organizationId });
  await newDeliveryOf(h, organizationId); // with a webhook, which is there last: nothing is sent to it
  const ids = [
    { table: 'organizations', id: organizationId },
    { table: 'users', id: owner.id },
    { table: 'dns_zones', id: zoneId },
    { table: 'dns_records', id: recordId },
  ];
  for (const table of await tablesWith('organization_id')) {
    const rows = await h.sql<{ id: string | null }[]>`
      select to_jsonb(t) ->> 'id' as id from ${h.sql(table)} t where organization_id = ${organizationId}`;
    ids.push(...rows.flatMap(({ id }) => (id === null ? [] : [{ table, id }])));
  }
  return { organizationId, ids };
}

/** Ids of the victim's that are of the kind that a field takes: for sshKeyId those of ssh_keys. */
function fittingIds(field: string): string[] {
  const noun = field.replace(/Id$/, '').replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  return victim.ids.flatMap(({ table, id }) => (table.includes(noun.slice(0, -1)) ? id : []));
}

/** Those, or any other ids of the victim's. */
function idsFor(field: string): fc.Arbitrary<string> {
  const [all, fitting] = [victim.ids.map(({ id }) => id), fittingIds(field)];
  return fc.oneof(fc.constantFrom(...all), fc.constantFrom(...(fitting.length === 0 ? all : fitting)));
}

/** By table, all that belongs to the victim in one hash; a table where nothing does is not there. */
async function rowsOfVictim(): Promise<Record<string, string>> {
  const { organizationId } = victim;
  const scopes: [table: string, condition: string][] = [
    ['organizations', `id = '${organizationId}'`],
    ['dns_records', `zone_id in (select id from dns_zones where organization_id = '${organizationId}')`],
    ['users', `id in (select user_id from memberships where organization_id = '${organizationId}')`],
    ...(await tablesWith('organization_id')).map((table): [string, string] => [
      table,
      `organization_id = '${organizationId}'`,
    ]),
  ];
  const hashes = await h.sql.unsafe<{ name: string; hash: string | null }[]>(
    scopes
      .map(
        ([
          table,
          condition,
        ]) => `select '${table}' as name, md5(string_agg(t::text, '|' order by t::text)) as hash
        from ${table} t where ${condition}`,
      )
      .join(' union all '),
  );
  return Object.fromEntries(hashes.flatMap(({ name, hash }) => (hash === null ? [] : [[name, hash]])));
}

test('the other tenant has something in every table where tenants have anything', async () => {
  expect(Object.keys(victimRows)).toEqual(expect.arrayContaining(await tablesWith('organization_id')));
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
    if (procedure.type === 'query') return;
    await restoreSessions();
    if (reply.status === 200) stage = undefined; // there may be nothing left of it
  }

  const fields = Object.fromEntries(
    Object.entries(fieldSchemas(name)).filter(([field]) => !LEFT_AS_IT_IS.has(`${name} ${field}`)),
  );
  for (const who of ['root', ...TENANTS] as const) await attempt(who, {});
  for (const value of procedure.type === 'query' ? [victim.organizationId] : [victim.organizationId, true]) {
    for (const extra of everyColumn(procedure, value)) await attempt('session', extra);
  }
  for (const field of Object.keys(fields).filter((key) => key.endsWith('Id'))) {
    for (const id of fittingIds(field)) await attempt('session', { [field]: id });
  }
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom<CallerName>('session', 'session', 'key', ...TENANTS),
      changesOf(fields, idsFor),
      attempt,
    ),
    { ...fuzzing(4), endOnFailure: true },
  );
  await fc.assert(
    fc.asyncProperty(
      changesOf(fields, () => fc.uuid()),
      (change) => attempt('root', change),
    ),
    { ...fuzzing(2), endOnFailure: true },
  );
  expect([...statuses]).toContain(200);
  expect(await rowsOfVictim()).toEqual(victimRows);
  await h.sql`delete from settings`;
  await h.sql`delete from api_keys where name not in ('test')`; // an account has at most 100
});

test('nobody has become more than he was', async () => {
  const platform = await h.sql<{ id: string }[]>`select id from users where role = 'rootAdmin'`;
  expect(platform).toEqual([{ id: cast.root.id }]);
  tell('Generated input', { procedures: procedures.length, requests: calls });
});
