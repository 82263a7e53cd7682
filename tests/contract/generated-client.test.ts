import { afterAll, beforeAll, expect, test } from 'vitest';
import { PICTURE } from '../api/stage.ts';
import { createHarness, type Harness } from '../support/harness.ts';
import { createScratch, ROOT, runTool, type Scratch } from './scratch.ts';

/* What somebody gets who generates a client from openapi.json. */

const PROGRAM = `
import createClient from 'openapi-fetch';
import type { components, paths } from './tenantry.d.ts';

const { BASE_URL = '', API_KEY = '' } = process.env;
const client = createClient<paths>({ baseUrl: BASE_URL + '/api', headers: { 'x-api-key': API_KEY } });

const created = await client.POST('/organization.create', { body: { name: 'Generated' } });
if (created.error) throw new Error(created.error.data.reason);
const organization: components['schemas']['Organization'] = created.data;

const read = await client.GET('/organization.one', { params: { query: { organizationId: organization.id } } });
const createdAt: string | undefined = read.data?.createdAt;

const list = await client.GET('/organization.all', { params: { query: { limit: 1, activeOnly: true } } });
const roles: string[] | undefined = list.data?.flatMap(({ members }) => members.map(({ role }) => role));
const nextCursor = list.response.headers.get('x-next-cursor');

// @ts-expect-error: a name is required.
const refused = await client.POST('/organization.create', { body: {} });
// @ts-expect-error: there is no such procedure.
const missing = await client.GET('/organization.unknown');

const deleted = await client.POST('/organization.delete', { body: { organizationId: organization.id } });
const nothing: unknown[] | undefined = deleted.data;

console.log(JSON.stringify({
  organization, createdAt, roles, nextCursor, nothing,
  refused: { status: refused.response.status, issues: refused.error?.issues },
  missing: missing.response.status,
}));
`;

const HEY_API_PROGRAM = `
import { client } from './hey-api/client.gen.js';
import {
  type Organization,
  organizationCreate, organizationDelete, organizationOne, organizationRemoveAvatar, organizationUploadAvatar,
} from './hey-api/index.js';

const { BASE_URL = '', API_KEY = '', PICTURE = '' } = process.env;
client.setConfig({ baseUrl: BASE_URL + '/api', headers: { 'x-api-key': API_KEY } });

const { data: organization } = await organizationCreate({ body: { name: 'Generated' }, throwOnError: true });
const organizationId: Organization['id'] = organization.id;
const { data: read } = await organizationOne({ query: { organizationId }, throwOnError: true });

const file = new File([Buffer.from(PICTURE, 'base64')], 'picture.png', { type: 'image/png' });
const { data: shown } = await organizationUploadAvatar({ body: { organizationId, file }, throwOnError: true });
const { data: bare } = await organizationRemoveAvatar({ body: { organizationId }, throwOnError: true });

// @ts-expect-error: a name is required.
const refused = await organizationCreate({ body: {} });
const { data: nothing } = await organizationDelete({ body: { organizationId }, throwOnError: true });

console.log(JSON.stringify({
  organization, read, nothing, avatars: [shown.avatarUrl, bare.avatarUrl],
  refused: { status: refused.response?.status, error: refused.error },
}));
`;

let h: Harness;
let scratch: Scratch;
beforeAll(async () => {
  h = await createHarness();
  scratch = await createScratch(['openapi-fetch', '@types/node']);
});
afterAll(async () => {
  await scratch[Symbol.asyncDispose]();
  await h[Symbol.asyncDispose]();
});

test('the document passes the linter without a warning', async () => {
  const report = JSON.parse(await runTool('redocly', ['lint', 'openapi.json', '--format=json'], ROOT));
  expect(report.problems).toEqual([]);
  expect(report.totals).toMatchObject({ errors: 0, warnings: 0 });
});

test('generated types compile under strict rules, refuse wrong calls, and fit what the server answers', async () => {
  await runTool('openapi-typescript', ['openapi.json', '--output', scratch.pathOf('tenantry.d.ts')], ROOT);
  await scratch.write('program.ts', PROGRAM);
  await scratch.compile(['program.ts']);

  const ada = await h.user();
  const { key } = await h.key(ada, { scope: 'user' });
  const answers = await scratch.runProgram('program.ts', { BASE_URL: h.baseUrl, API_KEY: key });
  expect(answers).toMatchObject({
    organization: { name: 'Generated', ownerId: ada.id, role: 'owner' },
    createdAt: expect.stringMatching(/Z$/),
    roles: ['owner'],
    nextCursor: expect.any(String),
    nothing: [],
    refused: { status: 400, issues: [{ path: ['name'] }] },
    missing: 404,
  });
}, 60_000);

test('a client of @hey-api/openapi-ts compiles under strict rules, and does what it says', async () => {
  await runTool('openapi-ts', ['-i', 'openapi.json', '-o', scratch.pathOf('hey-api'), '--silent'], ROOT);
  await scratch.write('hey.ts', HEY_API_PROGRAM);
  await scratch.compile(['hey.ts'], 'bundler');

  const { key } = await h.key(await h.user(), { scope: 'user' });
  const env = {
    BASE_URL: h.baseUrl,
    API_KEY: key,
    PICTURE: Buffer.from(await PICTURE.arrayBuffer()).toString('base64'),
  };
  expect(await scratch.runProgram('hey.ts', env)).toMatchObject({
    organization: { name: 'Generated' },
    read: { name: 'Generated', role: 'owner' },
    avatars: [expect.stringContaining('/avatars/'), null],
    refused: { status: 400, error: { data: { reason: 'invalid_input' }, issues: [{ path: ['name'] }] } },
    nothing: [],
  });
}, 60_000);
