import { afterAll, beforeAll, expect, test } from 'vitest';
import { createHarness, type Harness, type TestUser } from '../support/harness.ts';

/* Dokploy's command line calls the tRPC endpoint, and sends inputs as they are, not in superjson's form. */

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

const queryOf = (path: string, input: unknown) =>
  ada.send(`/api/trpc/${path}?input=${encodeURIComponent(JSON.stringify(input))}`, {});
const postTo = (path: string, body: unknown) =>
  ada.send(`/api/trpc/${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });

test.each([
  ['bare', (input: object) => input],
  ['wrapped', (input: object) => ({ json: input })],
])('%s input of a query reaches the procedure', async (_form, form) => {
  const { status, body } = await queryOf('organization.one', form({ organizationId }));
  expect(status).toBe(200);
  expect(body.result.data.json).toMatchObject({ id: organizationId, name: 'Acme' });
});

test.each([
  ['bare', (input: object) => input],
  ['wrapped', (input: object) => ({ json: input })],
])('%s input of a mutation reaches the procedure', async (form, wrap) => {
  const { status, body } = await postTo('organization.create', wrap({ name: `Made ${form}` }));
  expect(status).toBe(200);
  expect(body.result.data.json).toMatchObject({ name: `Made ${form}`, ownerId: ada.id });
});

test('bare and wrapped inputs share one batch', async () => {
  const { status, body } = await ada.send(
    `/api/trpc/organization.one,organization.one?batch=1&input=${encodeURIComponent(
      JSON.stringify({ 0: { organizationId }, 1: { json: { organizationId } } }),
    )}`,
    {},
  );
  expect(status).toBe(200);
  const ids = body.map(
    (answer: { result: { data: { json: { id: string } } } }) => answer.result.data.json.id,
  );
  expect(ids).toEqual([organizationId, organizationId]);
});

test('bare input is checked like any other', async () => {
  const { status, body } = await queryOf('organization.one', { organizationId: 'acme' });
  expect(status).toBe(400);
  expect(body.error.json.data).toMatchObject({
    reason: 'invalid_input',
    issues: [{ path: ['organizationId'] }],
  });
});

test('a query without input needs none', async () => {
  const { status, body } = await ada.send('/api/trpc/organization.all', {});
  expect(status).toBe(200);
  expect(body.result.data.json).toContainEqual(expect.objectContaining({ id: organizationId }));
});
