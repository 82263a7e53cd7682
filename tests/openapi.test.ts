import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { appRouter } from '../src/api/root.ts';
import { createDocument, type OpenApiDocument } from '../src/http/openapi.ts';
import { endpointsOf } from '../src/http/procedures.ts';

const read = (name: string) => readFileSync(new URL(`../${name}`, import.meta.url), 'utf8');
const { version } = JSON.parse(read('package.json')) as { version: string };

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
type JsonObject = { [key: string]: Json };

/** As clients read it: what JSON cannot say is gone. */
const document = JSON.parse(JSON.stringify(createDocument(appRouter, version))) as OpenApiDocument;
const endpoints = endpointsOf(appRouter);

const isObject = (value: Json | undefined): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Every object in a JSON value, with where it is. */
function* objectsIn(value: Json, at = '#'): Generator<[at: string, JsonObject]> {
  if (isObject(value)) yield [at, value];
  if (typeof value !== 'object' || value === null) return;
  for (const [key, item] of Object.entries(value))
    yield* objectsIn(item, `${at}/${key.replaceAll('/', '~1')}`);
}

function resolve(pointer: string): Json | undefined {
  const keys = pointer
    .replace(/^#\//, '')
    .split('/')
    .map((key) => key.replaceAll('~1', '/'));
  return keys.reduce<Json | undefined>(
    (node, key) => (isObject(node) ? node[key] : undefined),
    document as unknown as Json,
  );
}

const operationOf = (name: string, method: string) => {
  const operation = document.paths?.[`/${name}`]?.[method.toLowerCase() as 'get' | 'post'];
  if (operation === undefined) throw new Error(`${name} is not in the document.`);
  return operation;
};

type Success = { headers?: object; content: Record<string, { schema: JsonObject }> };
const successOf = (name: string, method: string) => operationOf(name, method).responses?.['200'] as Success;

test('openapi.json is what the router says now', () => {
  expect(read('openapi.json') === `${JSON.stringify(document, null, 2)}\n`, 'run `npm run openapi`').toBe(
    true,
  );
});

test('there is one path for each procedure, and nothing else', () => {
  expect(Object.keys(document.paths ?? {}).sort()).toEqual(
    [...endpoints.keys()].map((name) => `/${name}`).sort(),
  );
});

test.each([...endpoints.values()])('$name is described in full', ({ name, method, type, meta }) => {
  const operation = operationOf(name, method);
  expect(operation.operationId).toBe(name.replace('.', '-'));
  expect(operation.summary).toMatch(/\S/);
  expect(operation.tags).toEqual([name.split('.')[0]]);
  expect(document.tags?.map((tag) => tag.name)).toEqual(expect.arrayContaining(operation.tags ?? []));
  expect(operation.security).toEqual(meta.access === 'public' ? [] : [{ apiKey: [] }, { session: [] }]);

  const mediaType = meta.lines === true ? 'application/x-ndjson' : 'application/json';
  const { schema } = successOf(name, method).content[mediaType] ?? {};
  expect(Object.keys(schema ?? {})).not.toEqual([]);

  const statuses = Object.keys(operation.responses ?? {});
  expect(statuses).toEqual(expect.arrayContaining(['400', '401', '429', '500', '503']));
  if (meta.access !== 'public') expect(statuses).toContain('403');
  if (type === 'mutation') expect(statuses).toEqual(expect.arrayContaining(['413', '415']));
});

test('every reference leads somewhere', () => {
  const references = [...objectsIn(document as unknown as Json)].flatMap(([, { $ref }]) =>
    typeof $ref === 'string' ? [$ref] : [],
  );
  expect(references).not.toEqual([]);
  expect(references.filter((reference) => resolve(reference) === undefined)).toEqual([]);
});

test('answers may grow, dates are date-times and ids are uuids without a pattern', () => {
  const objects = [...objectsIn(document as unknown as Json)];
  const closed = objects.filter(([, { additionalProperties }]) => additionalProperties === false);
  expect(closed.map(([at]) => at)).toEqual([]);
  const patterned = objects.filter(([, { format, pattern }]) => format === 'uuid' && pattern !== undefined);
  expect(patterned.map(([at]) => at)).toEqual([]);

  const moments = objects.filter(([at, { type }]) => /At(\/anyOf\/0)?$/.test(at) && type === 'string');
  expect(moments).not.toEqual([]);
  expect(moments.filter(([, { format }]) => format !== 'date-time').map(([at]) => at)).toEqual([]);
});

test('numbers that 32 bits do not hold say so', () => {
  const objects = [...objectsIn(document as unknown as Json)];
  const bounded = objects.filter(([, { maximum }]) => typeof maximum === 'number' && maximum >= 2 ** 31);
  const times = /ApiKey\/properties\/(?:rateLimitTimeWindow|refillInterval)\/anyOf\/0$/;
  const places = /Audit\w+(?:\/\w+)*\/properties\/(?:seq|rows|unchained|firstBadSeq\/anyOf\/0)$/;
  const unbounded = objects.filter(([at]) => times.test(at) || places.test(at));
  expect(bounded.length).toBe(4);
  expect(unbounded.length).toBe(9);
  for (const [at, { format }] of [...bounded, ...unbounded]) expect([at, format]).toEqual([at, 'int64']);
});

test('text that is made canonical first has no pattern, which what is sent need not match', () => {
  const fields = [...objectsIn(document as unknown as Json)].filter(
    ([at, { format }]) => format === 'email' || /deployment\.create.*\/(?:subdomain|baseDomain)$/.test(at),
  );
  expect(fields.length).toBe(9);
  for (const [at, { pattern }] of fields) expect([at, pattern]).toEqual([at, undefined]);
});

test('optional query parameters keep their descriptions', () => {
  const parameters = operationOf('auditLog.all', 'GET').parameters;
  expect(parameters).toContainEqual(
    expect.objectContaining({
      name: 'organizationId',
      description: 'The active organization when left out.',
    }),
  );
  expect(parameters).toContainEqual(expect.objectContaining({ name: 'userId', schema: expect.anything() }));
});

test('response headers are named where they occur', () => {
  const headersOf = (name: string, method: string) => Object.keys(successOf(name, method).headers ?? {});
  for (const name of ['organization.all', 'organization.allInvitations', 'auditLog.all']) {
    expect(headersOf(name, 'GET')).toContain('x-next-cursor');
  }
  for (const { name, method } of endpoints.values()) {
    const names = headersOf(name, method).filter((header) => header.startsWith('RateLimit'));
    expect(names, name).toEqual(['RateLimit-Policy', 'RateLimit']);
  }
  const responses = Object.entries(document.components?.responses ?? {}) as [string, { headers?: object }][];
  const waiting = responses.filter(([, { headers = {} }]) => 'Retry-After' in headers);
  expect(waiting.map(([name]) => name)).toEqual(['Error409', 'Error429', 'Error503']);
  expect(operationOf('tunnelDevice.poll', 'POST').responses?.['400']).toHaveProperty('headers.Retry-After');
});

test('every mutation but an upload takes Idempotency-Key, single reads have an ETag, updates take If-Match', () => {
  const takes = (name: string, method: string) =>
    (operationOf(name, method).parameters ?? []).flatMap((parameter) =>
      '$ref' in parameter ? [parameter.$ref.split('/').at(-1)] : [],
    );
  const withIfMatch: string[] = [];
  for (const { name, method, type, meta } of endpoints.values()) {
    const statuses = Object.keys(operationOf(name, method).responses ?? {});
    const isKeyed = type === 'mutation' && meta.upload !== true;
    expect([name, takes(name, method).includes('IdempotencyKey')]).toEqual([name, isKeyed]);
    expect([name, statuses.includes('422')]).toEqual([name, isKeyed]);
    if (takes(name, method).includes('IfMatch')) withIfMatch.push(name);
  }
  expect(withIfMatch).toEqual(
    expect.arrayContaining([
      ...['organization.update', 'organization.delete', 'user.update'],
      ...['settings.update', 'sshKey.update'],
    ]),
  );
  for (const name of ['organization.one', 'organization.active', 'user.me', 'settings.get', 'sshKey.one']) {
    expect(Object.keys(successOf(name, 'GET').headers ?? {})).toContain('ETag');
    expect(takes(name, 'GET')).toContain('IfNoneMatch');
    expect(Object.keys(operationOf(name, 'GET').responses ?? {})).toContain('304');
  }
  for (const name of ['organization.all', 'apiKey.all', 'user.haveRootAccess']) {
    expect(Object.keys(successOf(name, 'GET').headers ?? {})).not.toContain('ETag');
  }
});

test('both ways of signing in are declared, and the document says how to use them', () => {
  expect(document.components?.securitySchemes).toMatchObject({
    apiKey: { type: 'apiKey', in: 'header', name: 'x-api-key' },
    session: { type: 'apiKey', in: 'cookie' },
  });
  expect(document.info.description).toContain('/api/auth/sign-in/email');
});
