import { once } from 'node:events';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { createHarness, type Harness } from '../support/harness.ts';
import { openSocket, sendRaw } from './raw-socket.ts';

let h: Harness;
beforeAll(async () => {
  h = await createHarness();
});
afterAll(() => h[Symbol.asyncDispose]());

/** Whatever a test sent, the next client is served, and nobody is told of a fault of ours. */
afterEach(async () => {
  expect((await h.anonymous.get('settings.health')).body).toEqual({ status: 'ok' });
  expect(h.logLines.join('')).not.toContain('request failed');
});

const HEALTH = '/api/settings.health';
const CLOSE = 'Connection: close\r\n\r\n';
const statusOf = (answer: string) => Number(/^HTTP\/1\.1 (\d{3}) /.exec(answer)?.[1]);
const bodyOf = (answer: string) => JSON.parse(answer.slice(answer.indexOf('\r\n\r\n') + 4));

test.each([
  ['a URL that is none', `GET http://[ HTTP/1.1\r\nHost: x\r\n${CLOSE}`, 400],
  ['half an escape', `GET /api/%ff HTTP/1.1\r\nHost: x\r\n${CLOSE}`, 400],
  ['an escape that is none', `GET /api/%zz HTTP/1.1\r\nHost: x\r\n${CLOSE}`, 400],
  ['an asterisk', `GET * HTTP/1.1\r\nHost: x\r\n${CLOSE}`, 404],
  ['an asterisk as it may be sent', `OPTIONS * HTTP/1.1\r\nHost: x\r\n${CLOSE}`, 404],
  ['two slashes', `GET /${HEALTH} HTTP/1.1\r\nHost: x\r\n${CLOSE}`, 404],
  ['dots', `GET /docs/..${HEALTH} HTTP/1.1\r\nHost: x\r\n${CLOSE}`, 404],
  ['a method of another protocol', `PROPFIND ${HEALTH} HTTP/1.1\r\nHost: x\r\n${CLOSE}`, 405],
  ['TRACE', `TRACE ${HEALTH} HTTP/1.1\r\nHost: x\r\nCookie: a=b\r\n${CLOSE}`, 405],
  ['TRACE elsewhere', `TRACE / HTTP/1.1\r\nHost: x\r\n${CLOSE}`, 404],
  ['a method that nobody knows', `BREW ${HEALTH} HTTP/1.1\r\nHost: x\r\n${CLOSE}`, 400],
  ['a method in small letters', `get ${HEALTH} HTTP/1.1\r\nHost: x\r\n${CLOSE}`, 400],
  ['a Host that is none', `GET ${HEALTH} HTTP/1.1\r\nHost: a b[\r\n${CLOSE}`, 400],
  ['no Host', `GET ${HEALTH} HTTP/1.1\r\n${CLOSE}`, 400],
  ['a version to come', `GET ${HEALTH} HTTP/9.9\r\nHost: x\r\n${CLOSE}`, 400],
  ['a header without a name', `GET ${HEALTH} HTTP/1.1\r\nHost: x\r\n: x\r\n${CLOSE}`, 400],
  ['a NUL in a header', `GET ${HEALTH} HTTP/1.1\r\nHost: x\r\nA: \0\r\n${CLOSE}`, 400],
  ['a large header', `GET ${HEALTH} HTTP/1.1\r\nHost: x\r\nA: ${'a'.repeat(20_000)}\r\n${CLOSE}`, 431],
  ['many headers', `GET ${HEALTH} HTTP/1.1\r\nHost: x\r\n${'A: a\r\n'.repeat(20_000)}${CLOSE}`, 431],
  ['a long path', `GET /api/${'a'.repeat(20_000)} HTTP/1.1\r\nHost: x\r\n${CLOSE}`, 431],
  ['an unknown expectation', `GET ${HEALTH} HTTP/1.1\r\nHost: x\r\nExpect: cake\r\n${CLOSE}`, 417],
  [
    'two lengths',
    `POST ${HEALTH} HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n${CLOSE}`,
    400,
  ],
  [
    'a length and chunks',
    `POST ${HEALTH} HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n${CLOSE}0\r\n\r\n`,
    400,
  ],
  [
    'a chunk that is none',
    `POST /api/user.createApiKey HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n${CLOSE}zz\r\n`,
    400,
  ],
  ['no HTTP at all', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', 400],
])('%s', async (_what, bytes, status) => {
  const answer = await sendRaw(h.baseUrl, Buffer.from(bytes, 'latin1'));
  expect(statusOf(answer)).toBe(status);
});

test.each([
  ['an empty Host', `GET ${HEALTH} HTTP/1.1\r\nHost: \r\n${CLOSE}`],
  ['an absolute URL', `GET http://x${HEALTH} HTTP/1.1\r\nHost: y\r\n${CLOSE}`],
  ['HTTP/1.0 without a Host', `GET ${HEALTH} HTTP/1.0\r\n\r\n`],
  ['HTTP as it was before 1.0', `GET ${HEALTH}\r\n\r\n`],
])('%s does not matter', async (_what, bytes) => {
  const answer = await sendRaw(h.baseUrl, bytes);
  expect(statusOf(answer)).toBe(200);
  expect(bodyOf(answer)).toEqual({ status: 'ok' });
});

test('a stream that is asked for under a Host that is none is refused', async () => {
  const call = '/api/trpc/settings.health?batch=1&input=%7B%7D';
  const answer = await sendRaw(
    h.baseUrl,
    `GET ${call} HTTP/1.1\r\nHost: a b[\r\ntrpc-accept: application/jsonl\r\n${CLOSE}`,
  );
  expect(statusOf(answer)).toBe(400);
});

test.each(['CONNECT x:443', `CONNECT ${HEALTH}`])('%s ends the connection', async (line) => {
  expect(await sendRaw(h.baseUrl, `${line} HTTP/1.1\r\nHost: x\r\n\r\n`)).toBe('');
});

test('a protocol upgrade is not taken up', async () => {
  const headers = `Host: x\r\nUpgrade: websocket\r\nConnection: Upgrade, close\r\nSec-WebSocket-Version: 13\r\n\r\n`;
  expect(statusOf(await sendRaw(h.baseUrl, `GET ${HEALTH} HTTP/1.1\r\n${headers}`))).toBe(200);
});

test('garbage after a good request is answered, and ends the connection', async () => {
  const answer = await sendRaw(h.baseUrl, `GET ${HEALTH} HTTP/1.1\r\nHost: x\r\n\r\n\0\x01garbage\r\n\r\n`);
  expect(answer).toContain('HTTP/1.1 400 ');
  expect(answer).toContain('"reason":"malformed_request"');
});

test('what is not HTTP is told so in the shape of every error', async () => {
  const answer = await sendRaw(h.baseUrl, 'nonsense\r\n\r\n');
  expect(bodyOf(answer)).toEqual({
    message: 'The request is malformed.',
    code: 'PARSE_ERROR',
    data: { code: 'PARSE_ERROR', httpStatus: 400, path: '', reason: 'malformed_request' },
  });
});

test('a hundred clients that leave in the middle of a request do no harm', async () => {
  await Promise.all(
    Array.from({ length: 100 }, async (_, i) => {
      const socket = openSocket(h.baseUrl);
      await once(socket, 'connect');
      socket.write(`POST /api/apiKey.create HTTP/1.1\r\nHost: x\r\nContent-Length: ${i + 1}\r\n`);
      socket.resetAndDestroy();
    }),
  );
});
