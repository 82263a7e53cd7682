import { afterAll, beforeAll, expect, test } from 'vitest';
import { createHarness, type Harness } from '../support/harness.ts';

let h: Harness;
let html: string;
let policy: string;
beforeAll(async () => {
  h = await createHarness();
  const { status, text, headers } = await h.anonymous.send('/docs', {});
  expect(status).toBe(200);
  expect(headers.get('content-type')).toMatch(/^text\/html/);
  html = text;
  policy = headers.get('content-security-policy') ?? '';
});
afterAll(() => h[Symbol.asyncDispose]());

/** Everything that the page fetches by its markup. */
const references = () =>
  [...html.matchAll(/\s(?:src|href|action|poster|data)\s*=\s*["']?([^"'\s>]+)/gi)].map(
    ([, url]) => url ?? '',
  );

test('the page fetches from here only', async () => {
  expect(references().length).toBeGreaterThan(0);
  for (const reference of references()) {
    const url = new URL(reference, `${h.baseUrl}/docs`);
    expect(url.protocol === 'data:' || url.origin === h.baseUrl, reference).toBe(true);
  }
  expect(html).not.toMatch(/@import|url\(\s*["']?(?:https?:)?\/\//i);
});

test('the page’s script is served from here', async () => {
  const scripts = references().filter((reference) => reference.endsWith('.js'));
  expect(scripts).toHaveLength(1);
  for (const script of scripts) {
    const url = new URL(script, `${h.baseUrl}/docs/`);
    const { status, headers, text } = await h.anonymous.send(`${url.pathname}${url.search}`, {});
    expect(status).toBe(200);
    expect(headers.get('content-type')).toMatch(/javascript/);
    expect(text.length).toBeGreaterThan(100_000);
  }
});

test('what a script might still want from elsewhere, the browser refuses', () => {
  const directives = new Map(
    policy.split(';').map((directive) => {
      const [name = '', ...sources] = directive.trim().split(/\s+/);
      return [name, sources];
    }),
  );
  expect(directives.get('default-src')).toEqual(["'none'"]);
  expect(directives.get('connect-src')).toEqual(["'self'"]);
  expect(directives.get('frame-ancestors')).toEqual(["'none'"]);
  for (const [name, sources] of directives) {
    for (const source of sources) {
      expect(`${name} ${source}`).toMatch(/ (?:'self'|'none'|'unsafe-inline'|'unsafe-eval'|data:|blob:)$/);
    }
  }
});

test('the page reads our document, and that is served', async () => {
  expect(html).toContain('/api/openapi.json');
  const { status, headers, body } = await h.anonymous.send('/api/openapi.json', {});
  expect(status).toBe(200);
  expect(headers.get('content-type')).toBe('application/json; charset=utf-8');
  expect(body).toMatchObject({ openapi: expect.stringMatching(/^3\.1\./), servers: [{ url: '/api' }] });
  expect(Object.keys(body.paths)).toContain('/organization.create');
});
