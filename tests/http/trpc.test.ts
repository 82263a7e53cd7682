import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Body, createHarness, type Harness, type TestUser, times } from '../support/harness.ts';

let h: Harness;
let ada: TestUser;
let organizationId: string;
beforeAll(async () => {
  h = await createHarness();
  const organization = await h.organization();
  ada = organization.owner;
  organizationId = organization.id;
});
afterAll(() => h[Symbol.asyncDispose]());

const encode = (value: unknown) => encodeURIComponent(JSON.stringify(value));
const get = (path: string, headers: Record<string, string> = {}) =>
  ada.send(`/api/trpc/${path}`, { headers });
const post = (path: string, body: unknown) => ada.post(`trpc/${path}`, body);
const countOrganizations = async () => (await h.sql`select 1 from organizations`).length;
const codesOf = (body: Body) =>
  body.map((answer: Body) => answer.error?.json.data.code ?? Object.keys(answer.result));

describe('one call', () => {
  test('a query takes its input bare or wrapped', async () => {
    for (const input of [{ organizationId }, { json: { organizationId } }]) {
      const { status, body } = await get(`organization.one?input=${encode(input)}`);
      expect(status).toBe(200);
      expect(body.result.data.json).toMatchObject({ id: organizationId, name: 'Acme' });
      expect(body.result.data.meta.values).toMatchObject({ createdAt: ['Date'], updatedAt: ['Date'] });
    }
  });

  test('a mutation takes its input bare or wrapped', async () => {
    for (const input of [{ name: 'Bare' }, { json: { name: 'Wrapped' } }]) {
      const { status, body } = await post('organization.create', input);
      expect(status).toBe(200);
      expect(body.result.data.json.name).toBe(input.name ?? input.json?.name);
    }
  });

  test('an error has the public form of plain HTTP inside tRPC’s own', async () => {
    const { status, body } = await post('organization.create', { json: { name: '' } });
    expect(status).toBe(400);
    expect(body).toEqual({
      error: {
        json: {
          message: expect.stringContaining('name'),
          code: -32600,
          data: {
            code: 'BAD_REQUEST',
            httpStatus: 400,
            path: 'organization.create',
            reason: 'invalid_input',
            issues: [{ message: expect.any(String), path: ['name'], code: 'too_small' }],
          },
        },
      },
    });
  });

  test.each(['nothing', 'organization.three', 'constructor', '__proto__', 'toString'])(
    '%s is 404, as a stream too',
    async (name) => {
      const { status, body } = await get(name);
      expect({ status, reason: body.error.json.data.reason }).toEqual({
        status: 404,
        reason: 'procedure_not_found',
      });
      const stream = await get(`${name}?batch=1`, { 'trpc-accept': 'application/jsonl' });
      expect(stream.text).toContain('"code":"NOT_FOUND"');
    },
  );

  test.each([
    ['POST', 'organization.active', 'GET, HEAD'],
    ['GET', 'organization.create', 'POST'],
    ['HEAD', 'organization.create', 'POST'],
    ['PUT', 'organization.create', 'GET, HEAD, POST'],
    ['DELETE', 'organization.active', 'GET, HEAD, POST'],
    ['OPTIONS', 'organization.active', 'GET, HEAD, POST'],
  ])('%s %s is 405', async (method, name, allow) => {
    const before = await countOrganizations();
    const { status, headers } = await ada.send(`/api/trpc/${name}?input=${encode({ name: 'Sneaky' })}`, {
      method,
    });
    expect({ status, allow: headers.get('allow') }).toEqual({ status: 405, allow });
    expect(await countOrganizations()).toBe(before);
  });

  test('HEAD on a query is GET without the body', async () => {
    const { status, text } = await ada.send('/api/trpc/organization.active', { method: 'HEAD' });
    expect({ status, text }).toEqual({ status: 200, text: '' });
  });

  test.each(['%7B', '%22', '', '%', 'undefined', '%7B%7D&input=%7B%7D'])(
    '?input=%s is 400',
    async (input) => {
      const { status, body } = await get(`organization.one?input=${input}`);
      expect({ status, reason: body.error.json.data.reason }).toEqual({
        status: 400,
        reason: 'malformed_json',
      });
    },
  );

  test('what is refused before a procedure runs is an error that a client can read', async () => {
    const send = (body: string, type: string, path = 'organization.create') =>
      ada.send(`/api/trpc/${path}`, { method: 'POST', body, headers: { 'content-type': type } });
    const refusals = await Promise.all([
      send('{', 'application/json'),
      send('{}', 'text/plain'),
      send(JSON.stringify({ name: 'x'.repeat(2 ** 20) }), 'application/json'),
      send('{', 'application/json', 'organization.create?batch=1'),
    ]);
    expect(refusals.map(({ status, body }) => [status, body.error.json.data.reason])).toEqual([
      [400, 'malformed_json'],
      [415, 'unsupported_media_type'],
      [413, 'payload_too_large'],
      [400, 'malformed_json'],
    ]);
  });
});

describe('batches', () => {
  test('queries are answered in order, each on its own', async () => {
    const input = { 0: { json: { organizationId } }, 1: { organizationId }, 2: { organizationId: 'x' } };
    const names = 'organization.one,organization.one,organization.one,nothing,user.session';
    const { status, body } = await get(`${names}?batch=1&input=${encode(input)}`);
    expect(status).toBe(207);
    expect(codesOf(body)).toEqual([['data'], ['data'], 'BAD_REQUEST', 'NOT_FOUND', ['data']]);
    expect(body[3].error.json.data.path).toBe('nothing');
  });

  test('a cursor is named where it is clear of which list it is: where there is one call', async () => {
    await ada.post('organization.create', { name: 'A second one' });
    const lists = ['organization.all', 'auditLog.all'];
    for (const accept of ['application/json', 'application/jsonl']) {
      const input = encode({ 0: { limit: 1 }, 1: { organizationId, limit: 100 } });
      const { text, headers: answered } = await get(`${lists}?batch=1&input=${input}`, { accept });
      expect(text).toContain(organizationId);
      expect(answered.get('x-next-cursor')).toBeNull();
    }
    for (const query of [`batch=1&input=${encode({ 0: { limit: 1 } })}`, `input=${encode({ limit: 1 })}`]) {
      const { headers } = await get(`organization.all?${query}`);
      expect(headers.get('x-next-cursor')).toMatch(/^[\da-f-]{36}$/);
    }
  });

  test('mutations too', async () => {
    const input = { 0: { name: 'First' }, 1: { json: { name: '' } }, 2: { json: { name: 'Third' } } };
    const names = 'organization.create,organization.create,organization.create';
    const { status, body } = await post(`${names}?batch=1`, input);
    expect(status).toBe(207);
    expect(codesOf(body)).toEqual([['data'], 'BAD_REQUEST', ['data']]);
    expect([body[0], body[2]].map((answer) => answer.result.data.json.name)).toEqual(['First', 'Third']);
  });

  test('the status is that of all the answers when they agree', async () => {
    expect((await get('user.session,user.session?batch=1')).status).toBe(200);
    expect((await get('nothing,nothing?batch=1')).status).toBe(404);
    const bad = await get('user.session,user.session?batch=1', { 'x-api-key': 'wrong' });
    expect({ status: bad.status, codes: codesOf(bad.body) }).toEqual({
      status: 401,
      codes: ['UNAUTHORIZED', 'UNAUTHORIZED'],
    });
  });

  test('a query among mutations is refused alone', async () => {
    const { body } = await post('organization.create,organization.active?batch=1', { 0: { name: 'Mixed' } });
    expect(codesOf(body)).toEqual([['data'], 'METHOD_NOT_SUPPORTED']);
  });

  test('ten calls are answered, eleven are refused and none of them runs', async () => {
    const create = (count: number) =>
      post(
        `${times(count, () => 'organization.checkHandle').join(',')},organization.create?batch=1`,
        Object.fromEntries(times(count + 1, (i) => [i, { name: `Many ${i}` }])),
      );
    const before = await countOrganizations();
    const refused = await create(10);
    expect({ status: refused.status, reason: refused.body.error.json.data.reason }).toEqual({
      status: 400,
      reason: 'batch_too_large',
    });
    expect(await countOrganizations()).toBe(before);
    expect((await create(9)).body).toHaveLength(10);
    expect(await countOrganizations()).toBe(before + 1);
  });

  test.each([11, 100, 700])('%d queries in one URL are refused, as a stream too', async (count) => {
    const path = `${times(count, () => 'user.session').join(',')}?batch=1`;
    for (const headers of [{}, { 'trpc-accept': 'application/jsonl' }, { accept: 'application/jsonl' }]) {
      const { status, body } = await get(path, headers as Record<string, string>);
      expect({ status, reason: body.error.json.data.reason }).toEqual({
        status: 400,
        reason: 'batch_too_large',
      });
    }
  });

  test.each(['[]', '[{"name":"Odd"}]', 'null', '"0"', '1', 'true'])(
    '%s is no input of a batch',
    async (text) => {
      const before = await countOrganizations();
      const mutation = await ada.send('/api/trpc/organization.create?batch=1', {
        method: 'POST',
        body: text,
        headers: { 'content-type': 'application/json' },
      });
      const query = await get(`organization.active?batch=1&input=${encodeURIComponent(text)}`);
      for (const { status, body } of [mutation, query]) {
        expect({ status, reason: body[0].error.json.data.reason }).toEqual({
          status: 400,
          reason: 'malformed_batch',
        });
      }
      expect(await countOrganizations()).toBe(before);
    },
  );

  test.each([
    '{"0":null}',
    '{"0":[]}',
    '{"0":"x"}',
    '{"1":{"name":"Odd"}}',
    '{"__proto__":{"name":"Odd"}}',
    '{}',
  ])('%s has no input for the first call', async (text) => {
    const body = JSON.parse(text) as unknown;
    const { status } = await post('organization.create?batch=1', body);
    expect(status).toBe(400);
  });

  test('batch is said with 1 and nothing else', async () => {
    for (const batch of ['true', '0', '', '1&batch=1']) {
      const { status } = await get(`user.session,user.session?batch=${batch}`);
      expect({ batch, status }).toEqual({ batch, status: 404 });
    }
  });

  test('a comma may be escaped', async () => {
    expect((await get('user.session%2Cuser.session?batch=1')).body).toHaveLength(2);
  });
});
