import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createHarness, type Harness, type TestUser, UNLIMITED } from '../support/harness.ts';
import { inTurns } from '../support/rounds.ts';
import { call, mutations, procedures } from './procedures.ts';
import { type Cast, createCast, createStage, INPUTS, keepSessions, type Stage } from './stage.ts';

/* Whatever is sent in any field of any procedure gets an answer that is meant, never a 500. */

let h: Harness;
let cast: Cast;
let stage: Stage;
let holder: TestUser;
let restoreSessions: () => Promise<void>;
beforeAll(async () => {
  h = await createHarness({ MAX_ORGANIZATIONS_PER_USER: '100000' }, { rateLimiter: UNLIMITED });
  cast = await createCast(h);
  stage = await createStage(h, cast);
  holder = cast.owner;
  restoreSessions = await keepSessions(h);
});
afterAll(() => h[Symbol.asyncDispose]());

const VALUES: unknown[] = [
  null,
  true,
  0,
  -1,
  1.5,
  2 ** 53,
  1e300,
  '',
  ' ',
  'x',
  '%',
  "'; drop table users; --",
  '\0',
  'a\0b',
  '\ud800',
  '\u202e🦊',
  'x'.repeat(100_000),
  '../../etc/passwd',
  '__proto__',
  '00000000-0000-0000-0000-000000000000',
  'ffffffff-ffff-ffff-ffff-ffffffffffff',
  '{"json":null}',
  '0000-00-00',
  '0000-01-01',
  '9999-12-31T23:59:59-10:00',
  '-infinity',
  [],
  [null],
  ['x', 'x'],
  {},
  { $gt: '' },
  { toString: null },
  { constructor: { prototype: {} } },
];
let fieldsSeen = 0;

const MEANT = [200, 400, 403, 404, 409, 412, 413, 415, 429, 431];
/** Where it is not the caller but the input that says who is calling. */
const UNKNOWN: Record<string, number[]> = { 'node.heartbeat token': [401] };

describe.each(procedures.filter(({ fields }) => fields.length > 0))('$name', (procedure) => {
  const { name, type, fields } = procedure;

  test.each(fields)('%s', async (field) => {
    const base = await INPUTS[name]?.({ h, cast, stage, holder });
    const meant = [...MEANT, ...(UNKNOWN[`${name} ${field}`] ?? [])];
    for (const value of inTurns(VALUES, fieldsSeen++, 2)) {
      if (type === 'query' && typeof value === 'object') continue; // a query has texts only
      const { status, text } = await call(holder, procedure, { ...base, [field]: value });
      if (status === 200 && type === 'mutation') await restoreSessions(); // some of them end it
      expect(meant, `${JSON.stringify(value).slice(0, 80)}: ${text.slice(0, 300)}`).toContain(status);
    }
  });
});

test.each(mutations)('%s, instead of the whole input', async (name) => {
  for (const value of VALUES) {
    const { status, text } = await holder.post(name, value);
    if (status === 200) await restoreSessions();
    expect(MEANT, `${JSON.stringify(value).slice(0, 80)}: ${text.slice(0, 300)}`).toContain(status);
  }
});

test.each([
  ...(['apiKey.create', 'user.createApiKey', 'organization.create', 'server.create'] as const),
  ...(['organization.update', 'sshKey.create', 'deployment.create', 'tunnelDevice.start'] as const),
  ...(['customRole.create roleName', 'user.update displayName', 'user.update firstName'] as const),
])('%s is no name that shows as nothing', async (what) => {
  const [name = '', field = 'name'] = what.split(' ');
  const input = await INPUTS[name]?.({ h, cast, stage, holder });
  const { status, body } = await holder.post(name, { ...input, [field]: ' \u200b\u0301' });
  expect([status, body.issues]).toEqual([
    400,
    [{ path: [field], message: 'This needs a character that can be seen.', code: 'custom' }],
  ]);
});

test('nothing was logged as a fault', () => {
  expect(h.logLines.filter((line) => line.includes('request failed'))).toEqual([]);
});
