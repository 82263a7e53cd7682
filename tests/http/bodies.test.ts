import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createHarness, type Harness, type Reply, type TestUser, times } from '../support/harness.ts';
import { sendRaw } from './raw-socket.ts';

const MEGABYTE = 1024 * 1024;
const JSON_TYPE = 'application/json';
/** The same mutation on each wire. */
const CREATE_KEY = ['/api/apiKey.create', '/api/trpc/apiKey.create'];
const SIGN_IN = '/api/auth/sign-in/email';

let h: Harness;
let ada: TestUser;
beforeAll(async () => {
  h = await createHarness();
  ada = await h.user();
});
afterAll(() => h[Symbol.asyncDispose]());

const post = (path: string, body: NonNullable<RequestInit['body']>, type?: string): Promise<Reply> =>
  ada.send(path, { method: 'POST', body, headers: type === undefined ? {} : { 'content-type': type } });

/** The public part of an error, whatever the wire. */
const errorOf = ({ body }: Reply) => body.error?.json ?? body;
const refusalOf = (reply: Reply) => ({ status: reply.status, reason: errorOf(reply).data.reason });

async function keysOf(user: TestUser) {
  const rows = await h.sql`select name from api_keys where user_id = ${user.id}`;
  return rows.map((row) => row.name);
}

describe('input is never loosened', () => {
  const WRONG = [
    ['rateLimitEnabled', 'false'],
    ['rateLimitEnabled', 0],
    ['rateLimitEnabled', null],
    ['remaining', null],
    ['remaining', '5'],
    ['remaining', ''],
    ['remaining', true],
    ['remaining', 1.5],
    ['remaining', []],
    ['name', 7],
    ['name', null],
    ['permissions', 'organization:read'],
    ['permissions', { 0: 'organization:read' }],
  ] as const;

  const attempt = async (order: string) => {
    for (const path of CREATE_KEY) {
      for (const [field, value] of WRONG) {
        const reply = await post(path, JSON.stringify({ name: 'k', [field]: value }), JSON_TYPE);
        const where = `${order} ${path} ${field}=${JSON.stringify(value)}`;
        expect({ where, ...refusalOf(reply) }).toEqual({ where, status: 400, reason: 'invalid_input' });
        const issues = errorOf(reply).issues ?? errorOf(reply).data.issues;
        expect(issues[0].path[0]).toBe(field);
      }
    }
  };

  test('not at first, and not after query strings were read by their types', async () => {
    await attempt('before');
    expect((await ada.get('organization.all', { activeOnly: false, limit: 5 })).status).toBe(200);
    expect((await ada.get('apiKey.all', { limit: 5 })).status).toBe(200);
    const input = encodeURIComponent(JSON.stringify({ limit: 5 }));
    expect((await ada.send(`/api/trpc/apiKey.all?input=${input}`, {})).status).toBe(200);
    await attempt('after');
    expect(await keysOf(ada)).toEqual([]);
  });
});

describe('content types', () => {
  test.each(['application/json; charset=utf-8', 'application/json;charset=UTF-8', 'Application/JSON'])(
    '%s is JSON',
    async (type) => {
      for (const path of CREATE_KEY) {
        expect((await post(path, JSON.stringify({ name: type }), type)).status).toBe(200);
      }
      expect(await keysOf(ada)).toContain(type);
    },
  );

  const form = () => {
    const data = new FormData();
    data.set('name', 'smuggled');
    return data;
  };
  test.each([
    ['multipart', form, undefined],
    ['a form', () => new URLSearchParams({ name: 'smuggled', email: 'a@example.org' }), undefined],
    ['text', () => '{"name":"smuggled"}', 'text/plain'],
    ['text with JSON in a parameter', () => '{"name":"smuggled"}', 'text/plain; application/json'],
    ['bytes', () => Buffer.from('{"name":"smuggled"}'), 'application/octet-stream'],
    ['no type', () => Buffer.from('{"name":"smuggled"}'), undefined],
    ['a JSON dialect', () => '{"name":"smuggled"}', 'application/merge-patch+json'],
  ])('%s is 415', async (_what, body, type) => {
    for (const path of [...CREATE_KEY, SIGN_IN, '/api/auth/sign-out']) {
      const reply = await post(path, body(), type);
      expect({ path, ...refusalOf(reply) }).toEqual({ path, status: 415, reason: 'unsupported_media_type' });
    }
    expect(await keysOf(ada)).not.toContain('smuggled');
  });

  test('what is compressed is 415 and says so, whatever its bytes; identity is no coding', async () => {
    const text = '{"name":"packed"}';
    const coded = (path: string, coding: string, body: Buffer | string) =>
      ada.send(path, {
        method: 'POST',
        body,
        headers: { 'content-type': JSON_TYPE, 'content-encoding': coding },
      });
    for (const path of [...CREATE_KEY, SIGN_IN]) {
      for (const [coding, body] of [
        ['gzip', gzipSync(text)],
        ['GZIP', text],
        ['identity, br', text],
      ] as const) {
        const reply = await coded(path, coding, body);
        expect({ path, coding, ...refusalOf(reply) }).toEqual({
          ...{ path, coding },
          ...{ status: 415, reason: 'unsupported_media_type' },
        });
        expect(errorOf(reply).message).toBe('Send the body as it is, without a Content-Encoding.');
      }
    }
    expect(await keysOf(ada)).not.toContain('packed');
    for (const path of CREATE_KEY) expect((await coded(path, 'Identity', text)).status).toBe(200);
  });

  test('an empty body is an empty object, with any content type or without one', async () => {
    // As a form it comes from axios.post(url), $.post(url), curl -d '' and PowerShell.
    for (const type of [JSON_TYPE, undefined, 'application/x-www-form-urlencoded', 'text/plain']) {
      const reply = await ada.send('/api/apiKey.create', {
        method: 'POST',
        headers: type === undefined ? {} : { 'content-type': type },
      });
      expect(refusalOf(reply)).toEqual({ status: 400, reason: 'invalid_input' });
      expect(reply.body.issues).toMatchObject([{ path: ['name'] }]);
    }
    expect((await ada.send('/api/auth/sign-out', { method: 'POST', headers: { cookie: '' } })).status).toBe(
      200,
    );
  });
});

test('where there is nothing, a body of another type is not what is wrong', async () => {
  expect((await post('/nothing', 'name=x', 'application/x-www-form-urlencoded')).status).toBe(404);
});

describe('malformed JSON', () => {
  test.each([
    '{"name":',
    '{name:"x"}',
    "{'name':'x'}",
    '{"name":"x"}}',
    '{"name":NaN}',
    '{"name":"\n"}',
    '\0',
  ])('%j is 400', async (text) => {
    for (const path of [...CREATE_KEY, SIGN_IN]) {
      expect(refusalOf(await post(path, text, JSON_TYPE))).toEqual({ status: 400, reason: 'malformed_json' });
    }
  });

  test.each(['[]', '[{"name":"listed"}]', '"name"', '7', 'true', 'null'])('%s is no object', async (text) => {
    for (const path of CREATE_KEY) {
      const reply = await post(path, text, JSON_TYPE);
      expect(refusalOf(reply)).toEqual({ status: 400, reason: 'invalid_input' });
      expect((errorOf(reply).issues ?? errorOf(reply).data.issues)[0].path).toEqual([]);
    }
    expect(refusalOf(await post(SIGN_IN, text, JSON_TYPE))).toEqual({ status: 400, reason: 'invalid_input' });
    expect(await keysOf(ada)).not.toContain('listed');
  });

  test.each([
    ['objects', '{"a":', '1', '}'],
    ['lists', '[', '', ']'],
  ])('40,000 nested %s are refused, and the server goes on', async (_what, open, middle, close) => {
    const text = open.repeat(40_000) + middle + close.repeat(40_000);
    for (const path of [...CREATE_KEY, SIGN_IN]) {
      expect(refusalOf(await post(path, text, JSON_TYPE))).toEqual({ status: 400, reason: 'too_deep' });
    }
    const input = encodeURIComponent('['.repeat(2_000) + ']'.repeat(2_000));
    expect((await ada.send(`/api/trpc/apiKey.all?input=${input}`, {})).status).toBe(400);
    expect((await ada.get('settings.health')).status).toBe(200);
  });

  test('a body of very many values is refused whole', async () => {
    const text = JSON.stringify({ name: 'many', permissions: times(10_000, () => 0) });
    for (const path of [...CREATE_KEY, SIGN_IN]) {
      expect(refusalOf(await post(path, text, JSON_TYPE))).toEqual({
        status: 400,
        reason: 'too_many_values',
      });
    }
  });

  test('of many faults the first are told', async () => {
    const permissions = Object.fromEntries(times(4_000, (n) => [`none${n}`, 0]));
    const { status, text, body } = await post(
      '/api/customRole.create',
      JSON.stringify({ role: 'wrong', permissions }),
      JSON_TYPE,
    );
    expect([status, body.issues.length]).toEqual([400, 20]);
    expect(text.length).toBeLessThan(10_000);
  });

  test('a name of any length is told by its beginning', async () => {
    const permissions = { [`${'x'.repeat(63)}🦊${'x'.repeat(900_000)}`]: [] };
    for (const path of ['/api/customRole.create', '/api/trpc/customRole.create']) {
      const reply = await post(path, JSON.stringify({ roleName: 'long', permissions }), JSON_TYPE);
      expect(reply.status).toBe(400);
      expect(reply.text.length).toBeLessThan(1_000);
      const [{ path: at }] = errorOf(reply).issues ?? errorOf(reply).data.issues;
      expect(at).toEqual(['permissions', `${'x'.repeat(63)}\ufffd`]);
    }
  });

  test('what the schema does not know is dropped, prototypes included', async () => {
    const text = '{"name":"plain","id":"1","userId":"2","__proto__":{"polluted":1},"constructor":{"a":1}}';
    for (const path of CREATE_KEY) expect((await post(path, text, JSON_TYPE)).status).toBe(200);
    expect(Object.hasOwn(Object.prototype, 'polluted')).toBe(false);
  });
});

describe('text', () => {
  test.each([
    ['a NUL in a value', '{"name":"a\\u0000b"}'],
    ['a NUL in a key', '{"name":"a","b\\u0000":1}'],
    ['a NUL inside a list', '{"name":"a","permissions":["\\u0000"]}'],
    ['a high surrogate alone', '{"name":"a\\ud800b"}'],
    ['a low surrogate alone', '{"name":"a\\udc00b"}'],
    ['surrogates the wrong way round', '{"name":"\\udc00\\ud800"}'],
    ['a surrogate in a key', '{"name":"a","\\ud800":1}'],
  ])('%s is refused', async (_what, text) => {
    for (const path of [...CREATE_KEY, SIGN_IN]) {
      expect(refusalOf(await post(path, text, JSON_TYPE))).toEqual({ status: 400, reason: 'invalid_text' });
    }
  });

  test('bytes that are not UTF-8 are refused, not replaced', async () => {
    const latin1 = Buffer.from('{"name":"Åse"}', 'latin1');
    for (const path of [...CREATE_KEY, SIGN_IN]) {
      expect(refusalOf(await post(path, latin1, JSON_TYPE))).toEqual({ status: 400, reason: 'invalid_text' });
    }
  });

  test('text beyond ASCII is kept as it was sent, a byte order mark is not text', async () => {
    for (const path of CREATE_KEY) {
      const name = `友達 🙂 ${path.length}`;
      expect((await post(path, Buffer.from(`\uFEFF${JSON.stringify({ name })}`), JSON_TYPE)).status).toBe(
        200,
      );
      expect(await keysOf(ada)).toContain(name);
    }
  });
});

describe('size', () => {
  const ofSize = (size: number) => `{"name":"${'x'.repeat(size - 11)}"}`;

  test('1 MB is read, a byte more is 413', async () => {
    for (const path of [...CREATE_KEY, SIGN_IN]) {
      expect((await post(path, ofSize(MEGABYTE), JSON_TYPE)).status).toBe(400); // read, and found too long a name
      expect(refusalOf(await post(path, ofSize(MEGABYTE + 1), JSON_TYPE))).toEqual({
        status: 413,
        reason: 'payload_too_large',
      });
    }
  });

  test('a body without a length is cut off at the same size', async () => {
    const chunk = `10000\r\n${' '.repeat(0x10000)}\r\n`;
    for (const path of [...CREATE_KEY, SIGN_IN]) {
      const head = `POST ${path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n`;
      const answer = await sendRaw(h.baseUrl, `${head}Transfer-Encoding: chunked\r\n\r\n${chunk.repeat(20)}`);
      expect(answer).toMatch(/^HTTP\/1\.1 413 /);
      expect(answer).toContain('payload_too_large');
    }
  });

  test('a large body is refused by its announced length, before it is sent', async () => {
    const head = `POST /api/apiKey.create HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n`;
    const answer = await sendRaw(h.baseUrl, `${head}Content-Length: 52428800\r\n\r\n{`);
    expect(answer).toMatch(/^HTTP\/1\.1 413 /);
  });

  test('a body that breaks off is no fault of ours', async () => {
    h.logLines.length = 0;
    const head = `POST /api/apiKey.create HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n`;
    await sendRaw(h.baseUrl, `${head}Content-Length: 100\r\n\r\n{"name"`, { thenEnd: true });
    expect((await ada.get('settings.health')).status).toBe(200);
    expect(h.logLines.join('')).not.toContain('request failed');
  });
});
