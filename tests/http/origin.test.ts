import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createHarness, type Harness, PASSWORD, type TestUser } from '../support/harness.ts';

const EVIL = 'https://evil.example';
const FRONT = 'https://app.example.org';
const corsHeadersOf = (headers: Headers) =>
  [...headers.keys()].filter((name) => name.startsWith('access-control'));

describe('a page that nobody trusts', () => {
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

  const count = async () => (await h.sql`select 1 from organizations`).length;

  test.each([
    EVIL,
    'null',
    '',
    'http://localhost:3000.evil.example',
    'http://localhost',
    'https://localhost:3000',
    'http://localhost:3000/',
    'http://LOCALHOST:3000',
    'http://localhost:3000 http://localhost:3000',
    'file://',
  ])('%j changes nothing with a cookie', async (origin) => {
    const before = await count();
    for (const path of ['organization.create', 'trpc/organization.create']) {
      const { status, body } = await ada.post(path, { name: 'Forged' }, { origin });
      expect(status).toBe(403);
      expect((body.error?.json ?? body).data.reason).toBe('origin_not_trusted');
    }
    const batch = await ada.post('trpc/organization.create?batch=1', { 0: { name: 'Forged' } }, { origin });
    expect(batch.status).toBe(403);
    const stream = { origin, 'trpc-accept': 'application/jsonl' };
    const streamed = await ada.post('trpc/organization.create?batch=1', { 0: { name: 'Forged' } }, stream);
    expect(streamed.text).toContain('origin_not_trusted');
    expect(await count()).toBe(before);
  });

  test('signs nobody in, up or out', async () => {
    const account = { email: ada.email, password: PASSWORD };
    const forge = (path: string, body: object) => h.anonymous.post(path, body, { origin: EVIL });
    const replies = [
      await forge('auth/sign-in/email', account),
      await forge('auth/sign-up/email', {
        email: 'planted@example.org',
        password: PASSWORD,
        name: 'Planted',
      }),
      await ada.post('auth/sign-out', {}, { origin: EVIL }),
    ];
    for (const { status, body, headers } of replies) {
      expect({ status, reason: body.data.reason }).toEqual({ status: 403, reason: 'origin_not_trusted' });
      expect(headers.getSetCookie()).toEqual([]);
    }
    expect(await h.sql`select 1 from users where email = 'planted@example.org'`).toEqual([]);
    expect((await ada.get('user.session')).status).toBe(200);
  });

  test('may ask, but its browser shows it nothing', async () => {
    for (const path of [`/api/organization.one?organizationId=${organizationId}`, '/api/trpc/user.session']) {
      const { status, headers } = await ada.send(path, { headers: { origin: EVIL } });
      expect(status).toBe(200);
      expect(corsHeadersOf(headers)).toEqual([]);
      expect(headers.get('cross-origin-resource-policy')).toBe('same-origin');
    }
    const preflight = await ada.send('/api/organization.create', {
      method: 'OPTIONS',
      headers: { origin: EVIL, 'access-control-request-method': 'POST' },
    });
    expect({ status: preflight.status, cors: corsHeadersOf(preflight.headers) }).toEqual({
      status: 405,
      cors: [],
    });
  });

  test('is let through with a key, which no browser sends by itself', async () => {
    const key = await h.key(ada, { scope: 'user' });
    const { status } = await key.post('organization.create', { name: 'By key' }, { origin: EVIL });
    expect(status).toBe(200);
    const both = await ada.post(
      'organization.create',
      { name: 'Both' },
      { origin: EVIL, 'x-api-key': key.key },
    );
    expect(both.status).toBe(200);
  });

  test('is not asked for where nobody is signed in, and not of programs', async () => {
    const anonymous = await h.anonymous.post('organization.create', { name: 'x' }, { origin: EVIL });
    expect(anonymous.status).toBe(401);
    expect((await ada.post('organization.create', { name: 'No origin' })).status).toBe(200);
  });

  test.each(['http://localhost:3000', 'http://127.0.0.1:3000'])(
    'our own page %s is trusted',
    async (origin) => {
      expect((await ada.post('organization.create', { name: 'Own page' }, { origin })).status).toBe(200);
      const { status } = await h.anonymous.post(
        'auth/sign-in/email',
        { email: ada.email, password: PASSWORD },
        { origin },
      );
      expect(status).toBe(200);
    },
  );
});

describe('TRUSTED_ORIGINS', () => {
  let h: Harness;
  let ada: TestUser;
  beforeAll(async () => {
    h = await createHarness({ TRUSTED_ORIGINS: `${FRONT}, https://second.example.org` });
    ada = await h.user();
  });
  afterAll(() => h[Symbol.asyncDispose]());

  test('a page among them may change things and read the answer, errors too', async () => {
    for (const [body, status] of [
      [{ name: 'By page' }, 200],
      [{ name: '' }, 400],
    ] as const) {
      const reply = await ada.post('organization.create', body, { origin: FRONT });
      expect(reply.status).toBe(status);
      expect(reply.headers.get('access-control-allow-origin')).toBe(FRONT);
      expect(reply.headers.get('access-control-allow-credentials')).toBe('true');
      expect(reply.headers.get('access-control-expose-headers')).toMatch(/x-request-id.*retry-after/);
      expect(reply.headers.get('vary')).toMatch(/Origin/i);
      expect(reply.headers.get('cross-origin-resource-policy')).toBe('cross-origin');
    }
    const signIn = { email: ada.email, password: PASSWORD };
    const { status, headers } = await h.anonymous.post('auth/sign-in/email', signIn, { origin: FRONT });
    expect({ status, origin: headers.get('access-control-allow-origin') }).toEqual({
      status: 200,
      origin: FRONT,
    });
    for (const accept of ['application/json', 'application/jsonl']) {
      const trpc = await ada.send('/api/trpc/user.session?batch=1', { headers: { origin: FRONT, accept } });
      expect(trpc.headers.get('access-control-allow-origin')).toBe(FRONT);
      expect(trpc.headers.get('cache-control')).toBe('no-store');
    }
  });

  test.each(['/api/organization.create', '/api/trpc/organization.create', '/api/auth/sign-in/email'])(
    'a preflight for %s is answered',
    async (path) => {
      const { status, headers } = await h.anonymous.send(path, {
        method: 'OPTIONS',
        headers: {
          origin: FRONT,
          'access-control-request-method': 'POST',
          'access-control-request-headers': 'content-type,x-api-key',
        },
      });
      expect(status).toBe(204);
      expect(headers.get('access-control-allow-origin')).toBe(FRONT);
      expect(headers.get('access-control-allow-credentials')).toBe('true');
      expect(headers.get('access-control-allow-headers')).toMatch(/content-type.*x-api-key/);
      expect(headers.get('access-control-allow-methods')).toContain('POST');
    },
  );

  test.each([
    ['/api/organization.create', 405, 'POST'],
    ['/api/organization.one', 405, 'GET, HEAD'],
    ['/api/trpc/organization.one', 405, 'GET, HEAD, POST'],
    ['/api/auth/sign-in/email', 405, 'POST'],
    ['/health', 405, 'GET, HEAD'],
    ['/unknown', 404, null],
  ])('OPTIONS %s that is no preflight is %i, as without', async (path, status, allow) => {
    const incomplete: Record<string, string>[] = [
      {},
      { origin: FRONT },
      { 'access-control-request-method': 'POST' },
    ];
    for (const headers of incomplete) {
      const reply = await h.anonymous.send(path, { method: 'OPTIONS', headers });
      expect([reply.status, reply.headers.get('allow')]).toEqual([status, allow]);
      expect((reply.body.error?.json ?? reply.body).data.httpStatus).toBe(status);
    }
  });

  test('any other page is neither let through nor shown anything', async () => {
    const forged = await ada.post('organization.create', { name: 'Forged' }, { origin: EVIL });
    expect(forged.status).toBe(403);
    for (const reply of [forged, await ada.send('/api/user.session', { headers: { origin: EVIL } })]) {
      expect(reply.headers.get('access-control-allow-origin')).toBeNull();
    }
  });
});
