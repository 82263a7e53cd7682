import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { answerOnce } from '../../src/domain/idempotency.ts';
import { mutations, procedureOf } from '../api/procedures.ts';
import { newAddress } from '../api/stage.ts';
import {
  type Caller,
  createHarness,
  type Harness,
  PASSWORD,
  statuses,
  type TestUser,
  times,
} from '../support/harness.ts';

/* A mutation with an Idempotency-Key is carried out once, and whoever repeats it is given the first answer. */

const DAY_MS = 24 * 60 * 60_000;

let h: Harness;
let ada: TestUser;
let key: string;
beforeAll(async () => {
  h = await createHarness({ MAX_ORGANIZATIONS_PER_USER: '1000' });
  ada = await h.user();
});
beforeEach(() => {
  key = randomUUID();
});
afterAll(() => h[Symbol.asyncDispose]());

const send = (caller: Caller, procedure: string, body: object, idempotencyKey = key) =>
  caller.post(procedure, body, { 'idempotency-key': idempotencyKey });
const create = (name: string, caller: Caller = ada) => send(caller, 'organization.create', { name });
const count = async (name: string) => (await h.sql`select 1 from organizations where name = ${name}`).length;
const reasonOf = ({ status, body }: { status: number; body: { data?: { reason: string } } }) => [
  status,
  body.data?.reason,
];

describe('a repeat', () => {
  test('is given the first answer and does nothing', async () => {
    const [first, second] = [await create('Once'), await create('Once')];
    expect(first.status).toBe(200);
    expect(first.headers.get('idempotency-replayed')).toBeNull();
    expect({ status: second.status, text: second.text }).toEqual({ status: 200, text: first.text });
    expect(second.headers.get('idempotency-replayed')).toBe('true');
    expect(second.headers.get('content-type')).toBe(first.headers.get('content-type'));
    expect(await count('Once')).toBe(1);
    const trail = await h.sql`select 1 from audit_log where resource_id = ${first.body.id}`;
    expect(trail).toHaveLength(1);
  });

  test('is the same request however its body is written', async () => {
    const post = (body: string) =>
      ada.send('/api/organization.create', {
        method: 'POST',
        body,
        headers: { 'content-type': 'application/json', 'idempotency-key': key },
      });
    const first = await post('{"name":"Spelt","description":"x"}');
    const second = await post('{ "description": "\\u0078",\n "name": "Spelt" }');
    expect([second.status, second.text]).toEqual([200, first.text]);
    expect(await count('Spelt')).toBe(1);
  });

  test('with another body is 422 and does nothing, and the first answer stays', async () => {
    const first = await create('Mine');
    expect(reasonOf(await create('Other'))).toEqual([422, 'idempotency_key_reused']);
    expect(await count('Other')).toBe(0);
    expect((await create('Mine')).text).toBe(first.text);
  });

  test('with another If-Match is another request', async () => {
    const { body } = await create('Tagged');
    const update = (tag: string) =>
      ada.post(
        'organization.update',
        { organizationId: body.id, name: 'Tagged' },
        { 'idempotency-key': key, 'if-match': tag },
      );
    expect((await update('*')).status).toBe(200);
    expect(reasonOf(await update('"a.b"'))).toEqual([422, 'idempotency_key_reused']);
  });

  test('is carried out again after 24 hours, and answers of that age leave the database', async () => {
    const first = await create('Daily');
    h.clock.advance(DAY_MS - 60_000);
    expect((await create('Daily')).text).toBe(first.text);
    h.clock.advance(120_000);
    const before = await h.sql`select 1 from idempotency_answers`;
    const again = await create('Daily');
    expect(again.status).toBe(200);
    expect(again.body.id).not.toBe(first.body.id);
    expect((await create('Daily')).text).toBe(again.text);
    expect(await count('Daily')).toBe(2);
    const after = await h.sql`select 1 from idempotency_answers`;
    expect([before.length > 1, after.length]).toEqual([true, 1]);
  });

  test('while the first one runs is 409, and is answered when that has ended', async () => {
    const { body } = await create('Held');
    const rename = () =>
      send(ada, 'organization.update', { organizationId: body.id, name: 'Renamed' }, `${key}-rename`);
    const replies = await h.race(
      body.id,
      times(4, () => rename),
    );
    expect(statuses(replies)).toEqual([200, 409, 409, 409]);
    const refused = replies.find(({ status }) => status === 409);
    expect(refused?.body.data.reason).toBe('idempotency_in_flight');
    expect(refused?.headers.get('retry-after')).toBe('1');
    const first = replies.find(({ status }) => status === 200);
    expect((await rename()).text).toBe(first?.text);
  });

  test('32 times at once makes one', async () => {
    const replies = await Promise.all(times(32, () => create('Flood')));
    const made = replies.filter(({ status }) => status === 200);
    expect(made.length).toBeGreaterThan(0);
    expect(new Set(made.map(({ text }) => text)).size).toBe(1);
    expect(replies.filter(({ status }) => ![200, 409].includes(status))).toEqual([]);
    expect(await count('Flood')).toBe(1);
  });

  test('of what writes nothing is given the first answer too', async () => {
    const replies = [await send(ada, 'sshKey.generate', {}), await send(ada, 'sshKey.generate', {})];
    expect(replies[1]?.text).toBe(replies[0]?.text);
    expect(replies[1]?.headers.get('idempotency-replayed')).toBe('true');
  });

  test('of what writes nothing, when both ran at once, is given the answer that was first', async () => {
    const request = { scope: 'test', key, content: '' };
    const open = new Map<string, () => void>();
    const answers = ['early', 'late'].map((body) =>
      answerOnce(
        h.app.deps,
        request,
        () => new Promise((resolve) => open.set(body, () => resolve({ status: 200, body }))),
        () => undefined,
      ),
    );
    await vi.waitFor(() => expect(open.size).toBe(2));
    open.get('early')?.();
    const first = await answers[0];
    open.get('late')?.();
    expect(await answers[1]).toEqual({ ...first, replayed: true });
  });
});

describe('a refusal', () => {
  test('is an answer too: the same again, although it could be done by now', async () => {
    const { id, owner } = await h.organization();
    const update = () => send(ada, 'organization.update', { organizationId: id, name: 'Taken' });
    const first = await update();
    expect(reasonOf(first)).toEqual([404, 'organization_not_found']);
    await h.sql`update organizations set owner_id = owner_id where id = ${id}`;
    await h.sql`insert into memberships (id, organization_id, user_id, role)
      values (${randomUUID()}, ${id}, ${ada.id}, 'admin')`;
    const second = await update();
    expect([second.status, second.text]).toEqual([404, first.text]);
    expect(second.headers.get('idempotency-replayed')).toBe('true');
    expect((await owner.get('organization.one', { organizationId: id })).body.name).toBe('Acme');
  });

  test('of the input is kept as well', async () => {
    const replies = [await create(''), await create('')];
    expect(replies.map(({ status, headers }) => [status, headers.get('idempotency-replayed')])).toEqual([
      [400, null],
      [400, 'true'],
    ]);
  });

  test('undoes what was written before it', async () => {
    const refusal = { status: 412, body: 'refused' };
    const [{ answer }, rows] = [
      await answerOnce(
        h.app.deps,
        { scope: 'test', key, content: '' },
        async ({ db }) => {
          await db.transaction((tx) => tx`update users set name = 'Half' where id = ${ada.id}`);
          expect(await db.query((sql) => sql`select 1 from users where name = 'Half'`)).toHaveLength(1);
          throw new Error('refused');
        },
        () => refusal,
      ),
      await h.sql`select 1 from users where name = 'Half'`,
    ];
    expect(answer).toEqual(refusal);
    expect([...rows]).toEqual([]);
  });

  test('that another try may overcome is not kept: 401, 429 and 503', async () => {
    expect((await create('Later', h.anonymous)).status).toBe(401);
    const { id, owner } = await h.organization();
    const update = (n: number) =>
      send(owner, 'organization.update', { organizationId: id, name: `N${n}` }, `${key}-${n}`);
    for (const n of times(6, (i) => i)) expect((await update(n)).status).toBe(200);
    for (const _ of times(2, () => 0)) {
      const { status, headers } = await update(6);
      expect([status, headers.get('idempotency-replayed')]).toEqual([429, null]);
    }
    await h.sql`alter table memberships rename to elsewhere`;
    const broken = await create('Later');
    await h.sql`alter table elsewhere rename to memberships`;
    expect(broken.status).toBe(500);
    expect((await create('Later')).status).toBe(200);
    expect(await count('Later')).toBe(1);
  });
});

describe('whose it is', () => {
  test('another person, another key and nobody get no answer but their own', async () => {
    const [ben, adasKey] = [await h.user(), await h.key(ada, { scope: 'user' })];
    const first = await create('Scoped');
    const others = [await create('Scoped', ben), await create('Scoped', adasKey)];
    for (const other of others) {
      expect([other.status, other.headers.get('idempotency-replayed')]).toEqual([200, null]);
      expect(other.body.id).not.toBe(first.body.id);
    }
    expect((await create('Scoped', h.anonymous)).status).toBe(401);
  });

  test('a person has the same ones in every session', async () => {
    const first = await create('Sessions');
    const cookie = await h.signIn(ada.id);
    const again = await ada.post(
      'organization.create',
      { name: 'Sessions' },
      { cookie, 'idempotency-key': key },
    );
    expect(again.text).toBe(first.text);
  });

  test('each procedure has its own', async () => {
    const first = await create('Both');
    const invitation = { organizationId: first.body.id, email: newAddress() };
    expect((await send(ada, 'organization.inviteMember', invitation)).status).toBe(200);
  });

  test('a registration is repeated without making an account twice', async () => {
    const account = { email: newAddress(), password: PASSWORD, firstName: 'Eve', lastName: '' };
    const [first, second] = [
      await send(h.anonymous, 'user.register', account),
      await send(h.anonymous, 'user.register', account),
    ];
    expect([first.status, second.status, second.text]).toEqual([200, 200, first.text]);
    const guess = await send(h.anonymous, 'user.register', { ...account, password: 'Other-horse-1' });
    expect(guess.status).toBe(422);
  });
});

test('secrets that an answer shows are not in the database, nor what the request said', async () => {
  const first = await send(ada, 'apiKey.create', { name: 'canary-name' });
  expect(first.body.key).toMatch(/^tenantry_/);
  expect((await send(ada, 'apiKey.create', { name: 'canary-name' })).text).toBe(first.text);
  const rows = await h.sql<{ row: string }[]>`select a::text as row from idempotency_answers a`;
  const stored = rows.map(({ row }) => row).join('\n');
  for (const canary of [first.body.key, 'canary-name', key, first.body.id]) {
    expect(stored).not.toContain(canary);
    expect(stored).not.toContain(Buffer.from(canary).toString('base64').slice(2, -4));
  }
});

test('a cookie that an answer sets is not kept', async () => {
  const cookie = await h.signIn(ada.id);
  const logout = await ada.post('session.logout', {}, { cookie, 'idempotency-key': key });
  expect([logout.status, logout.headers.getSetCookie().length]).toEqual([200, 1]);
  const again = await send(ada, 'session.logout', {}, key);
  expect([again.status, again.headers.getSetCookie()]).toEqual([200, []]);
  expect((await ada.get('user.session')).status).toBe(200);
});

describe('the header', () => {
  test.each(['', ' ', 'a b', 'é', 'x'.repeat(256)])('%j is no key', async (bad) => {
    const { status, body } = await send(ada, 'organization.create', { name: 'Bad' }, bad);
    expect([status, body.data.reason]).toEqual([400, 'invalid_idempotency_key']);
    expect(await count('Bad')).toBe(0);
  });

  test.each(['x', '"quoted"', 'x'.repeat(255)])('%j is one', async (good) => {
    expect((await send(ada, 'organization.create', { name: 'Good' }, good)).status).toBe(200);
  });

  test('is refused where it would be ignored: uploads, tRPC and /api/auth', async () => {
    const uploads = mutations.filter((name) => procedureOf(name).meta.upload);
    expect(uploads).not.toEqual([]);
    for (const path of [...uploads, 'trpc/organization.create', 'auth/sign-out']) {
      const { status, text } = await send(ada, path, { name: 'Ignored' });
      expect([path, status]).toEqual([path, 400]);
      expect(text).toContain('idempotency_key_unsupported');
    }
    expect(await count('Ignored')).toBe(0);
    expect((await ada.get('user.me')).status).toBe(200);
  });

  test('says nothing on reads', async () => {
    const { status } = await ada.send('/api/user.me', { headers: { 'idempotency-key': key } });
    expect(status).toBe(200);
  });
});
