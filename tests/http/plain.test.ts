import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { procedures } from '../api/procedures.ts';
import { createHarness, type Harness, type TestUser } from '../support/harness.ts';
import { faultsOf } from '../support/openapi.ts';

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

const UUID_V7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

describe('names', () => {
  test.each([
    'organizationXone',
    'ORGANIZATION.one',
    'Organization.One',
    'organization.one/',
    'organization.one//',
    'organization/one',
    'organization%2eone',
    'organization%2Eone',
    '%6frganization.one',
    'organization.one%2f',
    'organization.one%00',
    'organization.one%20',
    'organization.one;x',
    'organization',
    'organization.',
    'organization.constructor',
    'constructor',
    'constructor.name',
    '__proto__',
    '__proto__.toString',
    'toString',
    'hasOwnProperty',
    'auth',
    'trpc',
    '',
    'x'.repeat(5_000),
  ])('%s is no procedure', async (name) => {
    for (const prefix of ['/api/', '/api/trpc/']) {
      const { status, text } = await ada.send(`${prefix}${name}?organizationId=${organizationId}`, {});
      expect({ prefix, status }).toEqual({ prefix, status: 404 });
      expect(text).not.toContain('Acme');
    }
  });

  test('what is not found is named, in the shape of every error', async () => {
    const { status, body } = await ada.get('organization.three');
    expect(status).toBe(404);
    expect(body).toEqual({
      message: 'Procedure not found.',
      code: 'NOT_FOUND',
      data: {
        code: 'NOT_FOUND',
        httpStatus: 404,
        path: 'organization.three',
        reason: 'procedure_not_found',
      },
    });
  });
});

describe('methods', () => {
  test.each(['POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])('%s on a query is 405', async (method) => {
    const { status, headers, body } = await ada.send('/api/organization.active', { method });
    expect(status).toBe(405);
    expect(headers.get('allow')).toBe('GET, HEAD');
    expect(body.data).toMatchObject({ code: 'METHOD_NOT_SUPPORTED', path: 'organization.active' });
  });

  test.each(['GET', 'HEAD', 'PUT', 'DELETE'])(
    '%s on a mutation is 405 and changes nothing',
    async (method) => {
      const before = await h.sql`select count(*)::int as n from organizations`;
      const { status, headers } = await ada.send('/api/organization.create?name=Sneaky', { method });
      expect(status).toBe(405);
      expect(headers.get('allow')).toBe('POST');
      expect(await h.sql`select count(*)::int as n from organizations`).toEqual(before);
    },
  );

  test('HEAD on a query is GET without the body', async () => {
    const path = `/api/organization.one?organizationId=${organizationId}`;
    const [head, get] = [await ada.send(path, { method: 'HEAD' }), await ada.send(path, {})];
    expect(head.status).toBe(200);
    expect(head.text).toBe('');
    expect(head.headers.get('content-type')).toBe(get.headers.get('content-type'));
  });
});

describe('headers', () => {
  test('every answer has a request id of ours, and it is never the one that a client sent', async () => {
    const paths = [
      '/health',
      '/api/organization.active',
      '/api/nothing',
      '/nothing',
      '/api/%zz',
      '/api/a%2eb',
    ];
    const ids = await Promise.all(
      paths.map(async (path) => {
        const { headers } = await ada.send(path, { headers: { 'x-request-id': 'forged' } });
        return headers.get('x-request-id');
      }),
    );
    for (const id of ids) expect(id).toMatch(/^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
    expect(new Set(ids).size).toBe(paths.length);
  });

  test('answers are JSON that no cache keeps and no browser takes for a page', async () => {
    for (const path of [`organization.one?organizationId=${organizationId}`, 'nothing']) {
      const { headers } = await ada.send(`/api/${path}`, {});
      expect(headers.get('content-type')).toBe('application/json; charset=utf-8');
      expect(headers.get('cache-control')).toBe('no-store');
      expect(headers.get('x-content-type-options')).toBe('nosniff');
      expect(headers.get('content-security-policy')).toBe("default-src 'none';frame-ancestors 'none'");
      expect(headers.get('x-powered-by')).toBeNull();
    }
  });
});

describe('queries', () => {
  test.each(['constructor', 'toString', '__proto__', 'hasOwnProperty', 'valueOf', '__proto__[polluted]'])(
    '?%s= is just a name that nobody declared',
    async (name) => {
      const { status, body } = await ada.get('organization.one', { organizationId, [name]: 'x' });
      expect({ status, id: body.id }).toEqual({ status: 200, id: organizationId });
      expect(Object.hasOwn(Object.prototype, 'polluted')).toBe(false);
    },
  );

  test.each(['0', '-1', '1.5', '1e3', '0x10', '007', '+1', ' 1', '1 ', '1,0', 'Infinity', 'NaN', 'null', ''])(
    'limit=%j is not a limit',
    async (limit) => {
      const { status, body } = await ada.get('organization.all', { limit });
      expect(status).toBe(400);
      expect(body.issues).toMatchObject([{ path: ['limit'] }]);
    },
  );

  test('numbers and booleans are read by their declared type', async () => {
    const one = await ada.get('organization.all', { limit: 1 });
    expect(one.body).toHaveLength(1);
    expect(one.headers.get('x-next-cursor')).toMatch(UUID_V7);
    const { id } = (await ada.post('organization.create', { name: 'Asleep' })).body;
    await h.sql`update organizations set active = false where id = ${id}`;
    const names = async (activeOnly: string) =>
      (await ada.get('organization.all', { activeOnly })).body.map((row: { name: string }) => row.name);
    expect(await names('false')).toContain('Asleep');
    expect(await names('true')).not.toContain('Asleep');
  });

  test.each(['no', '0', '1', 'TRUE', 'yes', ''])('activeOnly=%j is not a boolean', async (activeOnly) => {
    const { status, body } = await ada.get('organization.all', { activeOnly });
    expect(status).toBe(400);
    expect(body).toMatchObject({
      message: expect.stringContaining('activeOnly'),
      code: 'BAD_REQUEST',
      issues: [{ path: ['activeOnly'], code: 'invalid_type', message: expect.any(String) }],
      data: { code: 'BAD_REQUEST', httpStatus: 400, path: 'organization.all', reason: 'invalid_input' },
    });
  });

  test('a parameter given twice is a list, and refused where one value is declared', async () => {
    const { status, body } = await ada.send('/api/organization.all?limit=1&limit=500', {});
    expect(status).toBe(400);
    expect(body.issues).toMatchObject([{ path: ['limit'] }]);
  });

  test.each([
    ['a NUL', '%00'],
    ['a byte that is no UTF-8', '%ff'],
    ['a lone surrogate', '%ed%a0%80'],
    ['half an escape', '%e'],
  ])('%s in a value is refused, not replaced', async (_what, bytes) => {
    const { status, body } = await ada.send(`/api/organization.checkHandle?handle=a${bytes}b`, {});
    expect({ status, reason: body.data.reason }).toEqual({ status: 400, reason: 'invalid_text' });
  });

  test('so it is by every query, as the document says', async () => {
    for (const { name } of procedures.filter(({ type }) => type === 'query')) {
      const reply = await ada.send(`/api/${name}?x=%ff`, {});
      expect([name, reply.status, ...faultsOf(name, reply)]).toEqual([name, 400]);
    }
  });

  test('text beyond ASCII arrives as it was sent', async () => {
    const { owner, id } = await h.organization();
    await owner.post('organization.update', { organizationId: id, name: 'Åse & 友達 🙂' });
    const found = await owner.get('auditLog.all', { organizationId: id, resourceName: 'Åse & 友達 🙂' });
    expect(found.body).toMatchObject([{ resourceName: 'Åse & 友達 🙂', action: 'update' }]);
  });
});
