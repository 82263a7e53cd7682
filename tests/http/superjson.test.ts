import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createHarness, type Harness, type TestUser, times } from '../support/harness.ts';

let h: Harness;
let ada: TestUser;
beforeAll(async () => {
  h = await createHarness();
  ada = await h.user();
});
afterAll(() => h[Symbol.asyncDispose]());

const PATH = '/api/trpc/apiKey.create';
const STREAM = { 'trpc-accept': 'application/jsonl' };

/** Sends one input alone, in a batch and as a stream, and resolves with the answers. */
async function send(input: unknown) {
  const single = await ada.post('trpc/apiKey.create', input);
  const batch = await ada.post('trpc/apiKey.create?batch=1', { 0: input });
  const stream = await ada.post('trpc/apiKey.create?batch=1', { 0: input }, STREAM);
  return [single, batch, stream];
}

const keyCount = async () => (await h.sql`select 1 from api_keys`).length;

/** No name may be on every object of the process, whoever put it there. */
const expectCleanPrototypes = () => {
  expect(Object.keys(Object.prototype)).toEqual([]);
  expect(Object.hasOwn(Object.prototype, 'polluted')).toBe(false);
  expect(Object.hasOwn(Object.prototype.toString, 'polluted')).toBe(false);
};

const json = { name: 'k', permissions: ['organization:read'], text: 'x', number: 5, list: [1, 2, 3] };

describe('refused, wherever it stands', () => {
  test.each([
    ['meta is a number', 5],
    ['meta is text', 'Date'],
    ['meta is a list', ['Date']],
    ['meta is true', true],
    ['values is a number', { values: 5 }],
    ['values is text', { values: 'Date' }],
    ['values is null', { values: null }],
    ['values has numbers', { values: { name: 5 } }],
    ['values has an empty list', { values: { name: [] } }],
    ['values has lists of lists', { values: { name: [['Date']] } }],
    ['equalities is a number', { referentialEqualities: 5 }],
    ['equalities is text', { referentialEqualities: 'name' }],
    ['equalities has numbers', { referentialEqualities: { name: 5 } }],
    ['a type that nobody knows', { values: { name: ['Nothing'] } }],
    ['a type that every object has', { values: { name: ['toString'] } }],
    ['a type that is a prototype', { values: { name: ['__proto__'] } }],
    ['a class', { values: { name: [['class', 'Object']] } }],
    ['a symbol', { values: { name: [['symbol', 'x']] } }],
    ['a custom type', { values: { name: [['custom', 'x']] } }],
    ['a set', { values: { list: ['set'] } }],
    ['a map', { values: { list: ['map'] } }],
    ['an error', { values: { name: ['Error'] } }],
    ['a pattern', { values: { name: ['regexp'] } }],
    ['a URL', { values: { name: ['URL'] } }],
    ['a large integer', { values: { number: ['bigint'] } }],
    ['a typed array', { values: { number: [['typed-array', 'Float64Array']] } }],
    ['a type with children', { values: { list: ['Date', { 0: ['Date'] }] } }],
    ['the prototype', { values: { '__proto__.polluted': ['undefined'] } }],
    ['a constructor’s prototype', { values: { 'constructor.prototype.polluted': ['undefined'] } }],
    ['an inner constructor', { values: { 'list.constructor.polluted': ['undefined'] } }],
    ['equality with the prototype', { referentialEqualities: { name: ['__proto__.polluted'] } }],
    ['equality under a constructor', { referentialEqualities: { name: ['constructor.prototype.polluted'] } }],
    ['an item far behind the end of a list', { values: { 'permissions.4294967294': ['undefined'] } }],
    ['an item that is no number', { values: { 'permissions.polluted': ['undefined'] } }],
    [
      'equality far behind the end of a list',
      { referentialEqualities: { name: ['permissions.4294967294'] } },
    ],
  ])('%s', async (_what, meta) => {
    for (const { status, text } of await send({ json, meta })) {
      expect([200, 400]).toContain(status); // a stream says it inside
      expect(text).toContain('"httpStatus":400');
      expect(text).toContain('"reason":"malformed_superjson"');
    }
    expect(await keyCount()).toBe(0);
    expectCleanPrototypes();
  });

  test('a meta that would make a prototype out of text sent as it is', async () => {
    const text = `{"json":${JSON.stringify(json)},"meta":{"values":{"__proto__":{"polluted":["undefined"]}}}}`;
    const headers = { 'content-type': 'application/json' };
    const { status } = await ada.send(PATH, { method: 'POST', body: text, headers });
    expect(status).toBe(400);
    expectCleanPrototypes();
  });

  test('a NUL or half a character in a streamed query', async () => {
    for (const handle of ['a\0b', 'a\ud800b']) {
      const input = encodeURIComponent(JSON.stringify({ 0: { json: { handle } } }));
      const path = `/api/trpc/organization.checkHandle?batch=1&input=${input}`;
      for (const headers of [{}, STREAM]) {
        const { text } = await ada.send(path, { headers });
        expect(text).toContain('"httpStatus":400');
      }
    }
  });
});

describe('cheap, whatever is in it', () => {
  /** What a request of this kind may take on a slow machine; the attacks take many times as long where they work. */
  const BRIEF_MS = 1_000;

  test.each([
    [
      'marks inside a large set',
      {
        json: { name: 'k', list: times(60_000, (i) => i) },
        meta: {
          values: { list: ['set', Object.fromEntries(times(30_000, (i) => [59_999 - i, ['number']]))] },
        },
      },
    ],
    [
      'a tree of equal branches',
      {
        json: { name: 'k', ...Object.fromEntries(times(64, (i) => [`n${i}`, { a: 0, b: 0 }])) },
        meta: {
          referentialEqualities: Object.fromEntries(times(63, (i) => [`n${i + 1}`, [`n${i}.a`, `n${i}.b`]])),
        },
      },
    ],
    [
      'a value that holds itself',
      { json: { name: 'k', self: { a: 1 } }, meta: { referentialEqualities: { self: ['self.a'] } } },
    ],
  ])('%s', async (_what, input) => {
    const started = performance.now();
    for (const { status } of await send(input)) expect(status).toBeLessThan(500);
    expect(performance.now() - started).toBeLessThan(3 * BRIEF_MS);
  });

  test('one list in thousands of places, each of which would be looked through', async () => {
    const names = times(4_000, (i) => `r${i}`);
    const input = {
      json: {
        roleName: 'r',
        permissions: {
          list: times(100, (i) => `a${i}`),
          ...Object.fromEntries(names.map((name) => [name, 0])),
        },
      },
      meta: {
        referentialEqualities: { 'permissions.list': names.map((name) => `permissions.${name}`) },
      },
    };
    const { status, text } = await ada.post('trpc/customRole.create', input);
    expect(status).toBe(400);
    expect(text).toContain('"reason":"malformed_superjson"');
  });
});

describe('taken, as superjson’s clients send it', () => {
  test.each([
    ['no meta', { json: { name: 'k' } }],
    ['a meta of nothing', { json: { name: 'k' }, meta: {} }],
    ['null for no meta', { json: { name: 'k' }, meta: null }],
    [
      'what is left out on purpose',
      { json: { name: 'k', prefix: null }, meta: { values: { prefix: ['undefined'] }, v: 1 } },
    ],
    ['what is undeclared', { json: { name: 'k', at: '2026-01-01' }, meta: { values: { at: ['Date'] } } }],
    ['equal values', { json: { name: 'k', a: {}, b: {} }, meta: { referentialEqualities: { a: ['b'] } } }],
  ])('%s', async (_what, input) => {
    for (const { status, text } of await send(input)) {
      expect(status).toBe(200);
      expect(text).toContain('"tenantry_');
    }
  });
});
