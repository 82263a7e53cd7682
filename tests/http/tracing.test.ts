import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { createCollector } from '../support/collector.ts';
import { createHarness, PASSWORD, type TestUser } from '../support/harness.ts';
import { mailsTo } from '../support/links.ts';
import { freePort } from '../support/service.ts';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const PARENT = '00f067aa0ba902b7';

let collector: Awaited<ReturnType<typeof createCollector>>;
let user: TestUser;
/** Of a service that was closed after what `beforeAll` did: everything had to be sent by then. */
const spansOf = (traceId: string) => collector.spans.filter((span) => span.traceId === traceId);
let invitationTrace: string;

beforeAll(async () => {
  collector = await createCollector();
  const h = await createHarness({ OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, OTEL_SERVICE_NAME: 'panel' });
  user = await h.user();
  const body = { name: 'Acme' };
  const { body: made } = await user.post('organization.create', body, {
    traceparent: `00-${TRACE}-${PARENT}-01`,
  });
  await user.post('organization.inviteMember', {
    organizationId: made.id,
    email: 'ada@example.org',
    role: 'member',
  });
  await mailsTo(h, 'ada@example.org');
  await user.get('organization.one', { organizationId: made.id, token: 'not-for-others' });
  await h.anonymous.post('auth/sign-in/email', { email: user.email, password: PASSWORD });
  await h.anonymous.send('/api/organization.one%2f?secret=not-for-others', {});
  await h[Symbol.asyncDispose]();
  invitationTrace = collector.spans.find(({ name }) => name.endsWith('inviteMember'))?.traceId ?? '';
});
afterAll(() => collector[Symbol.asyncDispose]());

test('a request goes on with the trace of its caller, and what it asks of the database belongs to it', () => {
  const spans = spansOf(TRACE);
  const server = spans.find(({ kind }) => kind === 2);
  expect(server).toMatchObject({
    name: 'POST organization.create',
    parentSpanId: PARENT,
    service: 'panel',
    attributes: {
      'http.request.method': 'POST',
      'http.response.status_code': 200,
      'http.route': '/api/:procedure',
      'url.scheme': 'http',
      'tenantry.request_id': expect.stringMatching(/^[\da-f-]{36}$/),
    },
  });
  const below = spans.filter(({ parentSpanId }) => parentSpanId === server?.spanId).map(({ name }) => name);
  expect(below).toContain('database transaction');
  expect(below).toContain('database query');
});

test('a request without one begins a trace', () => {
  expect(invitationTrace).toMatch(/^[\da-f]{32}$/);
  expect(invitationTrace).not.toBe(TRACE);
});

test('a job and the mail that it sends are a trace', () => {
  const job = collector.spans.find(({ name }) => name === 'job mail.invitation');
  expect(job).toMatchObject({ kind: 5, attributes: { 'tenantry.job_attempt': 1 } });
  const mail = collector.spans.find(({ name, traceId }) => name === 'mail send' && traceId === job?.traceId);
  expect(mail?.kind).toBe(3);
});

test('what nobody has asked for leaves no span', () => {
  const roots = collector.spans.filter(({ parentSpanId = '' }) => parentSpanId === '');
  expect(new Set(roots.map(({ kind }) => kind))).toEqual(new Set([2, 5]));
});

test('spans hold no secret, no address and no query string', () => {
  const all = collector.bodies.join('\n');
  expect(all.startsWith('POST /v1/traces {')).toBe(true);
  for (const word of ['not-for-others', 'ada@', user.email, PASSWORD, user.cookie, '?']) {
    expect(all.includes(word), word).toBe(false);
  }
});

test('a collector that is away is mentioned once, and keeps nobody waiting', async () => {
  const h = await createHarness({ OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${await freePort()}` });
  expect((await h.anonymous.get('portal.tiers')).status).toBe(200);
  const mentions = () => h.logLines.filter((line) => line.includes('traces could not be delivered'));
  await vi.waitFor(() => expect(mentions()).toHaveLength(1), 20_000);
  expect((await h.anonymous.get('portal.tiers')).status).toBe(200);
  const began = performance.now();
  await h[Symbol.asyncDispose]();
  expect(performance.now() - began).toBeLessThan(8_000);
  expect(mentions()).toHaveLength(1);
  expect(mentions()[0]).toContain('ECONNREFUSED');
});
