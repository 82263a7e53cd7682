import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { text } from 'node:stream/consumers';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { keyReader, sessionReader } from '../../src/auth/principal.ts';
import type { AuthRoute } from '../../src/auth/route.ts';
import { createKeyUsage, createSessionUsage } from '../../src/auth/usage.ts';
import { createServer } from '../../src/http/server.ts';
import { createMemoryRateLimiter } from '../../src/platform/rate-limiter.ts';
import { createHarness, type Harness, times } from '../support/harness.ts';

const METRICS_TOKEN = 'a-token-for-the-metrics';
const bearer = (token: string) => ({ headers: { authorization: `Bearer ${token}` } });

const COOKIE = { name: 'session', set: async () => '', cleared: '' };
const IDENTITY = {
  handle: async () => new Response(),
  isTrustedTarget: () => false,
  sessionCookie: COOKIE,
  twoFactorCookie: { ...COOKIE, name: 'two_factor' },
};

let h: Harness;
beforeAll(async () => {
  h = await createHarness({ METRICS_TOKEN });
});
afterAll(() => h[Symbol.asyncDispose]());

/** A server that nobody connects to, for what can only be seen from inside. */
const bareServer = (checkReady = async () => {}, authRoutes: Map<string, AuthRoute> = new Map()) =>
  createServer({
    deps: h.app.deps,
    rateLimiter: createMemoryRateLimiter(),
    callLimit: undefined,
    principalOfKey: keyReader(h.app.deps.db, createKeyUsage(h.app.deps.db)),
    principalOfSession: sessionReader(h.app.deps.db, createSessionUsage(h.app.deps.db)),
    identity: IDENTITY,
    trustedOrigins: new Set(),
    checkReady,
    metricsToken: undefined,
    countJobs: async () => ({ waiting: 0, failed: 0, oldestSeconds: 0 }),
    authRoutes,
    isHttps: false,
    corsOrigins: [],
    trustedProxies: [],
    logger: pino({ level: 'silent' }),
  });

describe('liveness and readiness', () => {
  test.each(['/health', '/ready'])('%s is ok, for GET and HEAD', async (path) => {
    const get = await h.anonymous.send(path, {});
    expect({ status: get.status, body: get.body }).toEqual({ status: 200, body: { status: 'ok' } });
    expect((await h.anonymous.send(path, { method: 'HEAD' })).status).toBe(200);
  });

  test('a server that is stopping is alive and not ready', async () => {
    const { app, startDraining } = await bareServer();
    expect((await app.inject('/ready')).statusCode).toBe(200);
    startDraining();
    const ready = await app.inject('/ready');
    expect(ready.statusCode).toBe(503);
    expect(ready.headers['retry-after']).toBe('1');
    expect(ready.json()).toEqual({
      message: 'The service is stopping.',
      code: 'SERVICE_UNAVAILABLE',
      data: { code: 'SERVICE_UNAVAILABLE', httpStatus: 503, path: 'ready', reason: 'draining' },
    });
    expect((await app.inject('/health')).statusCode).toBe(200);
    await app.close();
  });

  test('a database without its migrations is not ready, and the answer does not say why', async () => {
    const { app } = await bareServer(async () => {
      throw new Error('relation "secret" does not exist');
    });
    const ready = await app.inject('/ready');
    expect(ready.statusCode).toBe(503);
    expect(ready.json().data.reason).toBe('database_unavailable');
    expect(ready.payload).not.toContain('secret');
    await app.close();
  });
});

describe.each([
  ...['/health', '/ready', '/metrics', '/docs', '/docs/', '/docs/scalar.js'],
  ...['/api/openapi.json', '/device'],
])('%s is read only', (path) => {
  test.each(['POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])('%s is 405', async (method) => {
    const { status, headers, body } = await h.anonymous.send(path, { method });
    expect({ status, allow: headers.get('allow'), code: body.code }).toEqual({
      status: 405,
      allow: 'GET, HEAD',
      code: 'METHOD_NOT_SUPPORTED',
    });
  });
});

test('what is unknown is not found, whatever the method', async () => {
  for (const method of ['GET', 'POST', 'OPTIONS', 'PROPFIND']) {
    for (const path of ['/healthy', '/docs/unknown', '/*', '/(', '/:x']) {
      const { status, body } = await h.anonymous.send(path, { method });
      expect([method, path, status, body.code]).toEqual([method, path, 404, 'NOT_FOUND']);
    }
  }
});

describe('metrics', () => {
  test('without a token there are none', async () => {
    const { app } = await bareServer();
    const answer = await app.inject({ url: '/metrics', headers: { authorization: 'Bearer undefined' } });
    expect(answer.statusCode).toBe(404);
    expect((await app.inject({ url: '/metrics', method: 'POST' })).statusCode).toBe(404);
    await app.close();
  });

  test.each([
    ['nothing', {}],
    ['another token', bearer('another')],
    ['an empty token', bearer('')],
    ['a part of the token', bearer(METRICS_TOKEN.slice(0, -1))],
    ['another scheme', { headers: { authorization: `Basic ${METRICS_TOKEN}` } }],
    ['the token in the query', { query: `?token=${METRICS_TOKEN}` }],
  ])('with %s they are 401', async (_what, { query = '', ...init }: { query?: string; headers?: object }) => {
    const { status, body, text } = await h.anonymous.send(`/metrics${query}`, init as RequestInit);
    expect({ status, reason: body.data.reason }).toEqual({ status: 401, reason: 'metrics_token' });
    expect(text).not.toContain('process_');
  });

  test('with it they count requests by procedure and status, and jobs', async () => {
    await h.anonymous.get('settings.health');
    await h.anonymous.get('trpc/settings.health');
    await h.anonymous.get('user.get');
    const { status, text, headers } = await h.anonymous.send('/metrics', bearer(METRICS_TOKEN));
    expect(status).toBe(200);
    expect(headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/);
    const counted = (procedure: string, code: number) =>
      Number(
        new RegExp(`duration_seconds_count\\{procedure="${procedure}",status="${code}"\\} (\\d+)`).exec(
          text,
        )?.[1],
      );
    expect(counted('settings.health', 200)).toBe(2);
    expect(counted('user.get', 401)).toBe(1);
    expect(text).toMatch(/tenantry_jobs\{state="waiting"\} \d+/);
    expect(text).toMatch(/tenantry_jobs\{state="failed"\} 0/);
    expect(text).toMatch(/^tenantry_job_oldest_seconds [\d.]+$/m);
    expect(text).toContain('process_cpu_user_seconds_total');
  });

  test('no client can make new labels', async () => {
    const series = async () => {
      const { text } = await h.anonymous.send('/metrics', bearer(METRICS_TOKEN));
      expect(text).not.toContain('invented');
      return text.match(/^tenantry_http_request_duration_seconds_count/gm)?.length ?? 0;
    };
    const visit = (i: number) =>
      [
        `/invented${i}`,
        `/api/invented${i}`,
        `/api/invented.x${i}`,
        `/api/trpc/invented${i}`,
        `/api/trpc/invented${i},settings.health?batch=1`,
        `/api/trpc/invented${i}?batch=1`,
        `/api/auth/invented${i}`,
        `/docs/invented${i}`,
        `/api/settings.health?invented=${i}`,
        `/api/%ffinvented${i}`,
      ].flatMap((path) =>
        [path, `${path}&x`].map((url) => h.anonymous.send(url, { method: i % 2 ? 'GET' : 'PUT' })),
      );
    await Promise.all([visit(0), visit(1)].flat());
    const before = await series();
    await Promise.all(times(10, (i) => visit(i + 2)).flat());
    expect(await series()).toBe(before);
  });
});

test('a client has limited time for its headers and its body, and we for the answer', async () => {
  const { app } = await bareServer();
  expect(app.server).toMatchObject({
    headersTimeout: 10_000,
    requestTimeout: 30_000,
    connectionsCheckingInterval: 5_000,
  });
  expect(app.server.keepAliveTimeout).toBeGreaterThan(0);
  expect(app.initialConfig).toMatchObject({ bodyLimit: 2 ** 20 });
  await app.close();
});

test.each(['GET', 'POST'] as const)(
  'a %s that nothing answers is given up after 40 seconds',
  async (method) => {
    let reach = () => {};
    const reached = new Promise<void>((resolve) => {
      reach = resolve;
    });
    const never: AuthRoute = {
      method,
      handle: () => {
        setImmediate(reach); // by then the whole request has been read
        return new Promise(() => {});
      },
    };
    const { app } = await bareServer(undefined, new Map([['get-session', never]]));
    const address = await app.listen({ host: '127.0.0.1', port: 0 });
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    try {
      const headers = { 'content-type': 'application/json' };
      const asked = request(`${address}/api/auth/get-session`, { method, headers });
      const answered = once(asked, 'response') as Promise<[IncomingMessage]>;
      asked.end(method === 'POST' ? '{}' : undefined);
      await reached;
      vi.advanceTimersByTime(40_000);
      const [answer] = await answered;
      expect([answer.statusCode, answer.headers['retry-after']]).toEqual([503, '1']);
      expect(JSON.parse(await text(answer)).data).toMatchObject({
        path: 'auth/get-session',
        reason: 'timeout',
      });
    } finally {
      vi.useRealTimers();
    }
    await app.close();
  },
);
