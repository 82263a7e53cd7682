import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { chainIds, record, verifyChain } from '../../src/domain/audit/index.ts';
import { newId } from '../../src/kernel/ids.ts';
import { type Body, createHarness, type Harness, type TestUser, times } from '../support/harness.ts';
import { invite } from './stage.ts';

/* What the trail says cannot be changed unseen: not even by who can do anything to the database, without the secret. */

let h: Harness;
beforeAll(async () => {
  h = await createHarness({ MAX_ORGANIZATIONS_PER_USER: '1000' });
});
afterAll(() => h[Symbol.asyncDispose]());

/** An organization with five rows: that of its making, and four invitations. */
async function trail(): Promise<{ id: string; owner: TestUser }> {
  const { id, owner } = await h.organization();
  for (const _ of times(4, String)) await invite(owner, id);
  return { id, owner };
}
const verify = async ({ id, owner }: { id: string; owner: TestUser }): Promise<Body> => {
  const { status, body, text } = await owner.get('auditLog.verify', { organizationId: id });
  expect(status, text).toBe(200);
  return body;
};

/** Does what the triggers refuse, as whoever owns the tables can. */
async function byHand(change: () => Promise<unknown>): Promise<void> {
  const tables = ['audit_log', 'audit_chains'];
  for (const table of tables) await h.sql`alter table ${h.sql(table)} disable trigger user`;
  await change();
  for (const table of tables) await h.sql`alter table ${h.sql(table)} enable trigger user`;
}

const seal = (id: string, seq: number) => h.sql`seal from audit_log where chain_id = ${id} and seq = ${seq}`;
/** A copy of a row at another place. */
const insertCopy = (
  id: string,
  { of, at, seals = 'seal' }: { of: number; at: number; seals?: string },
) => h.sql`
  insert into audit_log (id, organization_id, user_id, user_email, action, resource_type, resource_id, seq, seal)
  select ${newId()}, organization_id, user_id, user_email, 'delete', resource_type, resource_id, ${at}, ${h.sql.unsafe(seals)}
  from audit_log where chain_id = ${id} and seq = ${of}`;
/** Makes room for a row. Backwards, so that no two have one place. */
async function moveUp(id: string, from: number): Promise<void> {
  await h.sql`update audit_log set seq = -seq - 1 where chain_id = ${id} and seq >= ${from}`;
  await h.sql`update audit_log set seq = -seq where chain_id = ${id} and seq < 0`;
}

describe('the chain', () => {
  test('numbers the rows of an organization, and is valid', async () => {
    const { id, owner } = await trail();
    const { body: rows } = await owner.get('auditLog.all', { organizationId: id });
    expect(rows.map(({ seq }: Body) => seq)).toEqual([5, 4, 3, 2, 1]);
    expect(new Set(rows.map((row: Body) => row.seal)).size).toBe(5);
    expect(await verify({ id, owner })).toEqual({
      valid: true,
      rows: 5,
      unchained: 0,
      firstBadSeq: null,
      reason: null,
      head: { seq: 5, seal: rows[0].seal },
    });
  });

  test('of what happens outside an organization is one for each user', async () => {
    const [ada, bob] = [await h.user(), await h.user()];
    for (const user of [ada, ada, bob]) await user.post('user.update', { displayName: 'New' });
    const seqs = (user: TestUser) => h.sql`
      select seq from audit_log where user_id = ${user.id} and organization_id is null order by id`;
    expect((await seqs(ada)).map(({ seq }) => Number(seq))).toEqual([1, 2, 3]);
    expect((await seqs(bob)).map(({ seq }) => Number(seq))).toEqual([1, 2]);
    expect(await verifyChain(h.app.deps, ada.id)).toMatchObject({ valid: true, rows: 3 });
  });

  test('is valid whatever was written', async () => {
    const { id, owner } = await h.organization();
    const actor = { userId: owner.id, email: owner.email, ipAddress: null, userAgent: null, requestId: null };
    const values = {
      zebra: 1,
      a: { long: [1.5, -0, 1e21, 1e-7, 12345678901234], b: { z: null, aa: true } },
      'Åse & 友達 🙂': '\u0001 \\ " \n',
      at: new Date(),
      ['__proto__']: 'own',
      10: 'ten',
      9: 'nine',
      none: undefined,
    };
    await h.app.deps.db.transaction((tx) =>
      record(tx, actor, new Date(), {
        organizationId: id,
        action: 'create',
        resourceType: 'thing',
        resourceId: 'x',
        resourceName: ' spaces\t',
        before: {},
        after: values,
      }),
    );
    expect(await verify({ id, owner })).toMatchObject({ valid: true, rows: 2 });
  });

  test('outlives the organization, and ends with its deletion', async () => {
    const { id, owner } = await trail();
    await owner.post('organization.delete', { organizationId: id });
    expect(await verifyChain(h.app.deps, id)).toMatchObject({ valid: true, rows: 6 });
    expect((await owner.get('auditLog.verify', { organizationId: id })).status).toBe(404);
  });

  test('longer than a page is read to its end', async () => {
    const { id, owner } = await h.organization();
    await h.app.deps.db.transaction(async (tx) => {
      const actor = {
        userId: owner.id,
        email: owner.email,
        ipAddress: null,
        userAgent: null,
        requestId: null,
      };
      const event = { organizationId: id, action: 'touch', resourceType: 'thing', resourceId: 'x' };
      for (const _ of times(1200, String)) await record(tx, actor, new Date(), event);
    });
    expect(await verify({ id, owner })).toMatchObject({ valid: true, rows: 1201 });
    await byHand(() => h.sql`update audit_log set action = 'x' where chain_id = ${id} and seq = 1100`);
    expect(await verify({ id, owner })).toMatchObject({ valid: false, rows: 1099, firstBadSeq: 1100 });
  });
});

describe('the database refuses', () => {
  test.each([
    `update audit_log set action = 'nothing'`,
    'update audit_log set action = action where false',
    'delete from audit_log',
    'truncate audit_log',
    'truncate audit_log, audit_chains',
    'update audit_chains set seq = seq - 1',
    'update audit_chains set seq = seq',
    'update audit_chains set seq = seq + 2',
    'delete from audit_chains',
    'truncate audit_chains',
  ])('%s', async (statement) => {
    await trail();
    await expect(h.sql.unsafe(statement)).rejects.toMatchObject({
      code: '23001',
      message: expect.stringContaining('is append-only'),
    });
  });
});

describe('verify finds', () => {
  const COLUMNS: [string, string][] = [
    ['id', 'gen_random_uuid()'],
    ['user_id', 'gen_random_uuid()'],
    ['user_email', `'mallory@example.org'`],
    ['user_email', 'null'],
    ['user_role', `'member'`],
    ['api_key_id', 'gen_random_uuid()'],
    ['ip_address', `'203.0.113.7'`],
    ['request_id', 'null'],
    ['action', `'delete'`],
    ['resource_type', `'member'`],
    ['resource_id', 'null'],
    ['resource_name', `'other'`],
    ['before', `'{}'`],
    ['after', `after || '{"role": "admin"}'`],
    ['after', `after - 'role'`],
    ['after', 'null'],
    ['created_at', `created_at - interval '1 millisecond'`],
    ['seal', `repeat('0', 64)`],
    ['seal', `''`],
  ];
  test.each(COLUMNS)('a changed %s: %s', async (column, value) => {
    const org = await trail();
    await byHand(() =>
      h.sql.unsafe(`update audit_log set ${column} = ${value} where chain_id = '${org.id}' and seq = 3`),
    );
    expect(await verify(org)).toMatchObject({ valid: false, rows: 2, firstBadSeq: 3, reason: 'changed' });
  });

  type Case = [string, (id: string) => Promise<unknown>, { firstBadSeq: number; reason: string }];
  const CASES: Case[] = [
    [
      'the first row changed',
      (id) => h.sql`update audit_log set action = 'x' where chain_id = ${id} and seq = 1`,
      { firstBadSeq: 1, reason: 'changed' },
    ],
    [
      'the newest row changed',
      (id) => h.sql`update audit_log set action = 'x' where chain_id = ${id} and seq = 5`,
      { firstBadSeq: 5, reason: 'changed' },
    ],
    [
      'the first row removed',
      (id) => h.sql`delete from audit_log where chain_id = ${id} and seq = 1`,
      { firstBadSeq: 1, reason: 'missing' },
    ],
    [
      'a row removed',
      (id) => h.sql`delete from audit_log where chain_id = ${id} and seq = 3`,
      { firstBadSeq: 3, reason: 'missing' },
    ],
    [
      'the newest rows removed',
      (id) => h.sql`delete from audit_log where chain_id = ${id} and seq > 3`,
      { firstBadSeq: 4, reason: 'missing' },
    ],
    [
      'all rows removed',
      (id) => h.sql`delete from audit_log where chain_id = ${id}`,
      { firstBadSeq: 1, reason: 'missing' },
    ],
    [
      'a row removed and the later ones moved down',
      async (id) => {
        await h.sql`delete from audit_log where chain_id = ${id} and seq = 3`;
        await h.sql`update audit_log set seq = 3 where chain_id = ${id} and seq = 4`;
        await h.sql`update audit_log set seq = 4 where chain_id = ${id} and seq = 5`;
        await h.sql`update audit_chains set seq = 4 where id = ${id}`;
      },
      { firstBadSeq: 3, reason: 'changed' },
    ],
    [
      'the newest row removed and the end moved to a place without its seal',
      async (id) => {
        await h.sql`delete from audit_log where chain_id = ${id} and seq = 5`;
        await h.sql`update audit_chains set seq = 4 where id = ${id}`;
      },
      { firstBadSeq: 4, reason: 'head_mismatch' },
    ],
    [
      'two rows exchanged',
      async (id) => {
        await h.sql`update audit_log set seq = 99 where chain_id = ${id} and seq = 3`;
        await h.sql`update audit_log set seq = 3 where chain_id = ${id} and seq = 4`;
        await h.sql`update audit_log set seq = 4 where chain_id = ${id} and seq = 99`;
      },
      { firstBadSeq: 3, reason: 'changed' },
    ],
    [
      'a row inserted after the newest',
      (id) => insertCopy(id, { of: 5, at: 6 }),
      { firstBadSeq: 6, reason: 'inserted' },
    ],
    [
      'a row inserted before the first',
      (id) => insertCopy(id, { of: 5, at: 0 }),
      { firstBadSeq: 0, reason: 'inserted' },
    ],
    [
      'a row inserted after the newest, and the end moved to it',
      async (id) => {
        await insertCopy(id, { of: 5, at: 6 });
        await h.sql`update audit_chains set seq = 6 where id = ${id}`;
      },
      { firstBadSeq: 6, reason: 'changed' },
    ],
    [
      'a row inserted with a digest that needs no secret',
      async (id) => {
        const digest = `encode(sha256(convert_to(seal || id::text, 'UTF8')), 'hex')`;
        await insertCopy(id, { of: 5, at: 6, seals: digest });
        await h.sql`update audit_chains set seq = 6, seal = (select ${seal(id, 6)}) where id = ${id}`;
      },
      { firstBadSeq: 6, reason: 'changed' },
    ],
    [
      'a row inserted with no seal',
      async (id) => {
        await insertCopy(id, { of: 5, at: 6, seals: `''` });
        await h.sql`update audit_chains set seq = 6, seal = '' where id = ${id}`;
      },
      { firstBadSeq: 6, reason: 'changed' },
    ],
    [
      'a row inserted between others, which move up',
      async (id) => {
        await moveUp(id, 3);
        await insertCopy(id, { of: 4, at: 3 });
        await h.sql`update audit_chains set seq = 6 where id = ${id}`;
      },
      { firstBadSeq: 3, reason: 'changed' },
    ],
    [
      'the end of the chain changed',
      (id) => h.sql`update audit_chains set seal = 'x' where id = ${id}`,
      { firstBadSeq: 5, reason: 'head_mismatch' },
    ],
    [
      'the end of the chain far away',
      (id) => h.sql`update audit_chains set seq = 1e15 where id = ${id}`,
      { firstBadSeq: 6, reason: 'missing' },
    ],
    [
      'the end of the chain removed',
      (id) => h.sql`delete from audit_chains where id = ${id}`,
      { firstBadSeq: 1, reason: 'head_mismatch' },
    ],
    [
      'a row moved to another organization',
      (id) => h.sql`
      update audit_log set organization_id = gen_random_uuid() where chain_id = ${id} and seq = 3`,
      { firstBadSeq: 3, reason: 'missing' },
    ],
  ];
  test.each(CASES)('%s', async (_, change, found) => {
    const org = await trail();
    await byHand(() => change(org.id));
    expect(await verify(org)).toMatchObject({ valid: false, ...found });
  });

  test('rows for an organization that never was', async () => {
    const { id } = await trail();
    const invented = newId();
    await h.sql`insert into audit_log (id, organization_id, action, resource_type, seq, seal)
      values (${newId()}, ${invented}, 'create', 'organization', 1, ${'0'.repeat(64)})`; // no trigger refuses rows
    expect(await verifyChain(h.app.deps, invented)).toMatchObject({ valid: false, reason: 'head_mismatch' });
    const ids: string[] = [];
    for await (const chain of chainIds(h.app.deps)) ids.push(chain);
    expect(ids).toEqual(expect.arrayContaining([id, invented]));
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids).toHaveLength(
      (await h.sql`select id from audit_chains union select chain_id from audit_log`).length,
    );
  });

  test('nothing, where a chain has no rows', async () => {
    const empty = { valid: true, rows: 0, reason: null, head: { seq: 0, seal: '' } };
    expect(await verifyChain(h.app.deps, newId())).toMatchObject(empty);
  });
});

describe('rows without a seal', () => {
  const unsealed = { valid: false, firstBadSeq: 1, reason: 'unsealed', unchained: 5 };
  async function unsealedTrail() {
    const org = await trail();
    await byHand(async () => {
      await h.sql`update audit_log set seal = '' where chain_id = ${org.id}`;
      await h.sql`update audit_chains set seal = '' where id = ${org.id}`;
    });
    return org;
  }

  test('are not taken for what was written, also where the chain goes on from them', async () => {
    const org = await unsealedTrail();
    await byHand(
      () => h.sql`
      update audit_log set user_email = 'mallory@example.org' where chain_id = ${org.id} and seq = 3`,
    );
    expect(await verify(org)).toMatchObject({ ...unsealed, rows: 5 });
    await invite(org.owner, org.id);
    expect(await verify(org)).toMatchObject({ ...unsealed, rows: 6, head: { seq: 6 } });
  });

  test('are accepted where the operator vouches for their time, and everything else about the chain holds', async () => {
    const org = await unsealedTrail();
    const [row] = await h.sql<{ createdAt: Date }[]>`
      select created_at from audit_log where chain_id = ${org.id} and seq = 5`;
    const last = row?.createdAt ?? new Date(0);
    const vouched = (at: number) => verifyChain(h.app.deps, org.id, new Date(at));
    await invite(org.owner, org.id);
    const accepted = { valid: true, rows: 6, unchained: 5, firstBadSeq: null, reason: null };
    expect(await vouched(last.getTime() + 1)).toMatchObject(accepted);
    await byHand(
      () =>
        h.sql`update audit_log set created_at = created_at + interval '1 h' where chain_id = ${org.id} and seq = 4`,
    );
    expect(await vouched(last.getTime() + 1)).toMatchObject({ ...unsealed, firstBadSeq: 4 });
    await byHand(() => h.sql`delete from audit_log where chain_id = ${org.id} and seq = 2`);
    expect(await verify(org)).toMatchObject({ valid: false, firstBadSeq: 2, reason: 'missing' });
  });
});

test('text in fields that are named like secrets is not written down', async () => {
  const { id, owner } = await h.organization();
  const actor = { userId: owner.id, email: owner.email, ipAddress: null, userAgent: null, requestId: null };
  await h.app.deps.db.transaction((tx) =>
    record(tx, actor, new Date(), {
      organizationId: id,
      action: 'update',
      resourceType: 'thing',
      resourceId: 'x',
      before: { password: 'canary', nested: { list: [{ tokenHash: 'canary', name: 'kept' }] } },
      after: {
        privateKey: 'canary',
        key: 'canary',
        totpSecret: { raw: 'canary' },
        token: null,
        keys: 3,
        tokens: 2,
      },
    }),
  );
  const [row] =
    await h.sql`select before, after from audit_log where chain_id = ${id} order by seq desc limit 1`;
  expect(row).toEqual({
    before: { password: '[secret]', nested: { list: [{ tokenHash: '[secret]', name: 'kept' }] } },
    after: {
      privateKey: '[secret]',
      key: '[secret]',
      totpSecret: '[secret]',
      token: null,
      keys: 3,
      tokens: 2,
    },
  });
  expect(await verify({ id, owner })).toMatchObject({ valid: true });
});

test('verify is a few times a minute', async () => {
  const org = await trail();
  const replies = [];
  for (const _ of times(7, String))
    replies.push(await org.owner.get('auditLog.verify', { organizationId: org.id }));
  expect(replies.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200, 200, 429]);
});
