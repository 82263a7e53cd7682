import {
  createTRPCClient,
  httpBatchLink,
  httpBatchStreamLink,
  httpLink,
  isTRPCClientError,
  type TRPCLink,
} from '@trpc/client';
import superjson from 'superjson';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { AppRouter } from '../../src/api/root.ts';
import { createHarness, type Harness, type TestUser, times } from '../support/harness.ts';

let h: Harness;
let ada: TestUser;
let organizationId: string;
const requests: string[] = [];
beforeAll(async () => {
  h = await createHarness();
  const organization = await h.organization();
  ada = organization.owner;
  organizationId = organization.id;
});
afterAll(() => h[Symbol.asyncDispose]());

type Options = {
  url: string;
  transformer: typeof superjson;
  headers: Record<string, string>;
  fetch: typeof fetch;
};

const LINKS: Record<string, (options: Options) => TRPCLink<AppRouter>> = {
  httpLink: (options) => httpLink(options),
  httpBatchLink: (options) => httpBatchLink(options),
  httpBatchStreamLink: (options) => httpBatchStreamLink(options),
  'httpBatchStreamLink by accept': (options) => httpBatchStreamLink({ ...options, streamHeader: 'accept' }),
};

function clientOf(link: string, headers: Record<string, string> = { cookie: ada.cookie }) {
  const url = `${h.baseUrl}/api/trpc`;
  const counted: typeof fetch = (input, init) => {
    requests.push(String(input));
    return fetch(input, init);
  };
  const make = LINKS[link];
  if (make === undefined) throw new Error(`There is no ${link}.`);
  return createTRPCClient<AppRouter>({
    links: [make({ url, transformer: superjson, headers, fetch: counted })],
  });
}

async function errorOf(call: Promise<unknown>) {
  const error: unknown = await call.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!isTRPCClientError<AppRouter>(error)) throw new Error('no error of tRPC', { cause: error });
  return error;
}

describe.each(Object.keys(LINKS))('%s', (link) => {
  test('dates arrive as dates, in queries and mutations', async () => {
    const client = clientOf(link);
    const read = await client.organization.one.query({ organizationId });
    expect(read.name).toBe('Acme');
    expect(read.createdAt).toBeInstanceOf(Date);
    const made = await client.organization.create.mutate({ name: 'By client', description: undefined });
    expect(made.createdAt).toBeInstanceOf(Date);
    const all = await client.organization.all.query();
    expect(all.map(({ createdAt }) => createdAt instanceof Date)).not.toContain(false);
  });

  test('calls made together are answered, each with its own result or error', async () => {
    const client = clientOf(link);
    requests.length = 0;
    const [one, missing, invalid, session] = await Promise.allSettled([
      client.organization.one.query({ organizationId }),
      client.organization.one.query({ organizationId: ada.id }),
      client.organization.one.query({ organizationId: 'x' }),
      client.user.session.query(),
    ]);
    expect(requests).toHaveLength(link === 'httpLink' ? 4 : 1);
    expect([one.status, session.status]).toEqual(['fulfilled', 'fulfilled']);
    const reasons = [missing, invalid].map((result) =>
      result.status === 'rejected' && isTRPCClientError<AppRouter>(result.reason)
        ? result.reason.data?.reason
        : result,
    );
    expect(reasons).toEqual(['organization_not_found', 'invalid_input']);
  });

  test('an error says its code, its reason and its field, and nothing of the inside', async () => {
    const error = await errorOf(clientOf(link).organization.create.mutate({ name: '' }));
    expect(error.data).toEqual({
      code: 'BAD_REQUEST',
      httpStatus: 400,
      path: 'organization.create',
      reason: 'invalid_input',
      issues: [{ message: expect.any(String), path: ['name'], code: 'too_small' }],
    });
  });

  test('a bad key is 401 with its reason', async () => {
    const error = await errorOf(clientOf(link, { 'x-api-key': 'wrong' }).user.session.query());
    expect(error.data).toMatchObject({ code: 'UNAUTHORIZED', httpStatus: 401, reason: 'api_key_invalid' });
    expect(error.message).toBe('This API key is unknown or was revoked.');
  });

  test('a procedure that there is none of is told so', async () => {
    const error = await errorOf(clientOf(link).organization['nothing' as 'all'].query());
    expect(error.data).toMatchObject({ code: 'NOT_FOUND', httpStatus: 404, reason: 'procedure_not_found' });
  });

  test('nobody is told so', async () => {
    const error = await errorOf(clientOf(link, {}).user.session.query());
    expect(error.data).toMatchObject({ code: 'UNAUTHORIZED', reason: 'not_signed_in' });
  });

  test('a body that is too large is 413', async () => {
    const error = await errorOf(clientOf(link).organization.create.mutate({ name: 'x'.repeat(2 ** 20) }));
    expect(error.data).toMatchObject({ httpStatus: 413, reason: 'payload_too_large' });
  });
});

test.each(Object.keys(LINKS).filter((link) => link !== 'httpLink'))(
  '%s tells every caller of a batch that it was too large',
  async (link) => {
    const client = clientOf(link);
    const errors = await Promise.all(times(11, () => errorOf(client.user.session.query())));
    expect(errors.map(({ data }) => data?.reason)).toEqual(times(11, () => 'batch_too_large'));
  },
);
