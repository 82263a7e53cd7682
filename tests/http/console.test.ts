import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createHarness, type Harness } from '../support/harness.ts';
import { sendRaw } from './raw-socket.ts';

/* How the built console is served; what is in it is the matter of tests/console. */

const INDEX = '<!doctype html><title>Built</title>';
const SCRIPT = 'export {};'.repeat(100);

let h: Harness;
let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'tenantry-console-'));
  await mkdir(join(directory, 'assets'));
  await writeFile(join(directory, 'index.html'), INDEX);
  await writeFile(join(directory, 'sources.sha256'), 'secret');
  await writeFile(join(directory, 'assets/index-abc.js'), SCRIPT);
  await writeFile(join(directory, 'assets/index-abc.js.gz'), gzipSync(SCRIPT));
  h = await createHarness({}, { consoleDirectory: directory });
});
afterAll(async () => {
  await h[Symbol.asyncDispose]();
  await rm(directory, { recursive: true, force: true });
});

const get = (path: string, accept = 'text/html,application/xhtml+xml') =>
  h.anonymous.send(path, { headers: { accept } });

test.each([
  ...['/', '/sign-in', '/o/acme/dns/7', '/account/profile', '/platform/users'],
  ...['/invitation?token=x', '/verify-email?token=x', '/reset-password?token=x', '/device?user_code=x'],
])('%s is the console’s, read anew each time, and runs nothing but its own files', async (path) => {
  const { status, text, headers } = await get(path);
  expect({ status, text }).toEqual({ status: 200, text: INDEX });
  expect(headers.get('content-type')).toBe('text/html; charset=utf-8');
  expect(headers.get('cache-control')).toBe('no-cache');
  expect(headers.get('etag')).toBeNull();
  expect(headers.get('referrer-policy')).toBe('no-referrer');
  const policy = headers.get('content-security-policy') ?? '';
  expect(policy).toContain("default-src 'none'; script-src 'self'; style-src 'self';");
  expect(policy).not.toMatch(/unsafe|data:|blob:|\*/);
});

const NOT_FOUND = { status: 404, reason: 'route_not_found' };

test.each(['/assets/index-xyz.js', '/assets/', '/avatars', '/api'])('%s stays unknown', async (path) => {
  const { status, body } = await get(path);
  expect({ status, reason: body.data.reason }).toEqual(NOT_FOUND);
});

test.each([
  ...['/nothing', '/o', '/account', '/platform', '/sign-in/', '/Sign-in'],
  ...['/sources.sha256', '/index.html'],
])('%s stays unknown, and whoever opens it is told by a page', async (path) => {
  const { status, text, headers } = await get(path);
  expect({ status, text }).toEqual({ status: 404, text: INDEX });
  expect(headers.get('content-security-policy')).toContain("default-src 'none'; script-src 'self';");
  expect([headers.get('cache-control'), headers.get('referrer-policy')]).toEqual(['no-cache', 'no-referrer']);
  for (const accept of ['*/*', 'application/json']) {
    const { status, body } = await get(path, accept);
    expect({ status, reason: body.data.reason }).toEqual(NOT_FOUND);
  }
});

test.each([
  '/assets/../index.html',
  '/assets/../../index.html',
  '/assets/%2e%2e/index.html',
  '/assets//etc/passwd',
])('%s leads nowhere else', async (path) => {
  const reply = await sendRaw(
    h.baseUrl,
    `GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`,
  );
  expect(reply).toMatch(/^HTTP\/1\.1 40[034] /);
  expect(reply).not.toContain('Built');
});

test('what asks for JSON is told that there is none, and unknown procedures stay JSON', async () => {
  expect((await get('/sign-in', 'application/json')).body.data.reason).toBe('route_not_found');
  expect((await get('/api/organization.nothing')).body.data.httpStatus).toBe(404);
});

test.each(['/sign-in', '/o/acme/members'])('%s is read only', async (path) => {
  const { status, headers } = await h.anonymous.send(path, { method: 'POST' });
  expect([status, headers.get('allow')]).toEqual([405, 'GET, HEAD']);
});

test('files are sent compressed, and kept for good', async () => {
  const { text, headers } = await h.anonymous.send('/assets/index-abc.js', {
    headers: { 'accept-encoding': 'gzip' },
  });
  expect(text).toBe(SCRIPT);
  expect(headers.get('content-encoding')).toBe('gzip');
  expect(headers.get('vary')).toMatch(/accept-encoding/i);
  expect(headers.get('cache-control')).toBe('public, max-age=31536000, immutable');
  expect(headers.get('content-type')).toMatch(/javascript/);
});

test('without a built console, small pages stand where the links of mails lead', async () => {
  const bare = await createHarness();
  expect((await bare.anonymous.send('/', {})).status).toBe(404);
  expect((await bare.anonymous.send('/invitation?token=x', {})).text).toContain('/invitation.js');
  await bare[Symbol.asyncDispose]();
});

test('the pages that are named here are those that the console has', async () => {
  const routes = await readFile('src/console/routes.tsx', 'utf8');
  const paths = [...routes.matchAll(/(?:page|own)\(\s*'([^']+)'/g)].map(([, path = '']) => path);
  expect(paths.length).toBeGreaterThan(10);
  for (const path of paths) expect([path, (await get(path)).text]).toEqual([path, INDEX]);
});
