import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { times } from '../support/harness.ts';
import { tell } from '../support/rounds.ts';
import { ROOT, type Service, startService, temporaryDirectory } from '../support/service.ts';
import { openSocket } from './raw-socket.ts';

/*
 * What no client library sends, over bare sockets to the service as it is started. Each is answered as often as there are
 * requests in it and then ends: nothing hangs, nothing is a fault of ours, nothing is taken for a request that is none.
 */

let directory: string;
let service: Service;
beforeAll(async () => {
  directory = await temporaryDirectory();
  service = await startService({ DATA_DIR: directory, LOG_LEVEL: 'info', ...ROOT });
});
afterAll(async () => {
  tell('Bytes that are no request', { 'slowest /health in ms': Math.max(...healthMs) });
  expect(await service.end('SIGTERM')).toBe(0);
  await rm(directory, { recursive: true, force: true });
});

/** What Node.js itself answers to a thousand headers: newer ones refuse them, others drop those beyond two thousand. */
async function statusOfManyHeaders(): Promise<number> {
  const server = createServer((_request, response) => response.end()).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const headers = times(1_010, (n): [string, string] => [`a${n}`, 'b']);
  const { status } = await fetch(`http://127.0.0.1:${port}`, { headers });
  server.close();
  return status;
}
const WITH_MANY_HEADERS = await statusOfManyHeaders();

/** Longer than anything here takes, but for what is slow on purpose. */
const PROMPT_MS = 3_000;
/** `/health` takes a few milliseconds; the rest is for a busy machine. */
const AT_ONCE_MS = 1_500;

const healthMs: number[] = [];
async function isHealthy(): Promise<void> {
  const started = performance.now();
  const { status } = await fetch(`${service.baseUrl}/health`);
  const ms = performance.now() - started;
  healthMs.push(ms);
  expect(status).toBe(200);
  expect(ms).toBeLessThan(AT_ONCE_MS);
}

/** The process lives, answers others at once, and logs no fault and no request that was only a part of another one. */
afterEach(async () => {
  await isHealthy();
  expect(service.child.exitCode).toBe(null);
  expect(service.output.text).not.toMatch(/"level":[56]0|\/smuggled/);
});

type Sent = {
  /** Ends our side right after the bytes. */
  thenEnd?: boolean;
  /** Sent every half a second, for as long as the connection stands. */
  drip?: string;
  withinMs?: number;
};

const statusesIn = (text: string) =>
  [...text.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => Number(status));

/** Sends bytes and resolves with the statuses of what came back before the connection ended. */
function statusesOf(bytes: string, expected: number[], sent: Sent = {}): Promise<number[]> {
  const { thenEnd = false, drip, withinMs = PROMPT_MS } = sent;
  return new Promise((resolve, reject) => {
    const socket = openSocket(service.baseUrl);
    let received = '';
    const dripping = drip === undefined ? undefined : setInterval(() => socket.write(drip), 500);
    const limit = setTimeout(() => {
      reject(new Error(`The connection still stands after ${withinMs} ms. Received: ${received}`));
      socket.destroy();
    }, withinMs);
    socket.on('data', (chunk) => {
      received += chunk.toString('latin1');
      // A connection that is kept alive stands until one side has enough.
      if (drip === undefined && statusesIn(received).length >= Math.max(1, expected.length)) socket.end();
    });
    socket.on('error', () => {}); // a reset is an end too
    socket.on('close', () => {
      clearInterval(dripping);
      clearTimeout(limit);
      resolve(statusesIn(received));
    });
    if (thenEnd) socket.end(Buffer.from(bytes, 'latin1'));
    else socket.write(Buffer.from(bytes, 'latin1'));
  });
}

const PATH = '/api/settings.health';
const HOST = 'Host: x\r\n';
const CLOSE = 'Connection: close\r\n\r\n';
/** A request line and a Host: headers follow. */
const GET = `GET ${PATH} HTTP/1.1\r\n${HOST}`;
/** Refused with 401 once its body has been read. */
const POST = `POST /api/user.createApiKey HTTP/1.1\r\n${HOST}Content-Type: application/json\r\n`;
const CHUNKED = `${POST}Transfer-Encoding: chunked\r\n${CLOSE}`;
/** Lies where no request is: in a body, or behind what ends a connection. */
const SMUGGLED = `GET /smuggled HTTP/1.1\r\n${HOST}${CLOSE}`;
/** Lies where a request is. */
const SECOND = `GET /second HTTP/1.1\r\n${HOST}${CLOSE}`;
const LONG = 'a'.repeat(20_000);

type Probe = [what: string, bytes: string, statuses: number[], sent?: Sent];
const LINES: Probe[] = [
  ['two Hosts', `${GET}Host: y\r\n${CLOSE}`, [400]],
  ['one Host twice', `${GET}${HOST}${CLOSE}`, [400]],
  ['a list for a Host', `GET ${PATH} HTTP/1.1\r\nHost: x, y\r\n${CLOSE}`, [400]],
  ['a user in a Host', `GET ${PATH} HTTP/1.1\r\nHost: a@b\r\n${CLOSE}`, [400]],
  ['a path in a Host', `GET ${PATH} HTTP/1.1\r\nHost: a/b\r\n${CLOSE}`, [400]],
  ['a port that is none', `GET ${PATH} HTTP/1.1\r\nHost: a:b\r\n${CLOSE}`, [400]],
  ['an IPv6 Host with a port', `GET ${PATH} HTTP/1.1\r\nHost: [::1]:80\r\n${CLOSE}`, [200]],
  ['a space before the colon', `GET ${PATH} HTTP/1.1\r\nHost : x\r\n${CLOSE}`, [400]],
  ['a folded first header', `GET ${PATH} HTTP/1.1\r\n Host: x\r\n${CLOSE}`, [400]],
  ['an absolute URL of another scheme', `GET ftp://x/ HTTP/1.1\r\n${HOST}${CLOSE}`, [404]],
  ['an absolute URL with a password', `GET http://u:p@x${PATH} HTTP/1.1\r\n${HOST}${CLOSE}`, [200]],
  ['only an authority', `GET x:80 HTTP/1.1\r\n${HOST}${CLOSE}`, [400]],
  ['a path without a slash', `GET api HTTP/1.1\r\n${HOST}${CLOSE}`, [400]],
  ['a path with a backslash', `GET \\api HTTP/1.1\r\n${HOST}${CLOSE}`, [400]],
  ['a fragment', `GET ${PATH}#x HTTP/1.1\r\n${HOST}${CLOSE}`, [200]],
  ['a NUL in the path', `GET /api/\0 HTTP/1.1\r\n${HOST}${CLOSE}`, [400]],
  ['high bytes in the path', `GET /api/\xff\xfe HTTP/1.1\r\n${HOST}${CLOSE}`, [400]],
  ['UTF-8 in the path', `GET /api/\xc3\xa9 HTTP/1.1\r\n${HOST}${CLOSE}`, [400]],
  ['a space in the path', `GET /api/a b HTTP/1.1\r\n${HOST}${CLOSE}`, [400]],
  ['an escaped NUL', `GET /api/%00 HTTP/1.1\r\n${HOST}${CLOSE}`, [404]],
  ['escaped dots', `GET /avatars/%2e%2e/secret HTTP/1.1\r\n${HOST}${CLOSE}`, [404]],
  ['an escaped slash', `GET /avatars/..%2fsecret HTTP/1.1\r\n${HOST}${CLOSE}`, [404]],
  ['a high byte in the query', `GET ${PATH}?a=\xff HTTP/1.1\r\n${HOST}${CLOSE}`, [400]],
  ['tabs in the request line', `GET\t${PATH}\tHTTP/1.1\r\n${HOST}${CLOSE}`, [400]],
  ['a space after the request line', `GET ${PATH} HTTP/1.1 \r\n${HOST}${CLOSE}`, [400]],
  ['HTTP/1.2', `GET ${PATH} HTTP/1.2\r\n${HOST}${CLOSE}`, [400]],
  ['HTTP/1.10', `GET ${PATH} HTTP/1.10\r\n${HOST}${CLOSE}`, [400]],
  ['HTTP/2.0 in words', `GET ${PATH} HTTP/2.0\r\n${HOST}${CLOSE}`, [400]],
  ['http in small letters', `GET ${PATH} http/1.1\r\n${HOST}${CLOSE}`, [400]],
  ['the preface of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0', [400]],
  ['an endless method', LONG, [400]],
  ['an endless path', `GET /${LONG.repeat(5)}`, [431]],
  ['SSH', 'SSH-2.0-OpenSSH_9.9\r\n', [400]],
  ['a line of a proxy', `PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n${GET}${CLOSE}`, [400]],
  ['TRACE with a body', `TRACE ${PATH} HTTP/1.1\r\n${HOST}Content-Length: 3\r\n${CLOSE}abc`, [405]],
  ['OPTIONS of a procedure', `OPTIONS ${PATH} HTTP/1.1\r\n${HOST}${CLOSE}`, [405]],
  ['CONNECT, and a request behind it', `CONNECT x:443 HTTP/1.1\r\n${HOST}\r\n${SMUGGLED}`, []],
];

const HEADERS: Probe[] = [
  ['a folded header', `${GET}A: b\r\n c\r\n${CLOSE}`, [400]],
  ['a header without a colon', `${GET}abc\r\n${CLOSE}`, [400]],
  ['a space in a name', `${GET}A b: c\r\n${CLOSE}`, [400]],
  ['a NUL in a name', `${GET}A\0: c\r\n${CLOSE}`, [400]],
  ['a high byte in a name', `${GET}\xe9: c\r\n${CLOSE}`, [400]],
  ['high bytes in a value', `${GET}A: \xe9\xff\r\n${CLOSE}`, [200]],
  ['a control character in a value', `${GET}A: \x01\r\n${CLOSE}`, [400]],
  ['DEL in a value', `${GET}A: \x7f\r\n${CLOSE}`, [400]],
  ['a bare CR in a value', `${GET}A: b\rc\r\n${CLOSE}`, [400]],
  ['a bare LF after a header', `GET ${PATH} HTTP/1.1\r\nHost: x\nA: b\r\n${CLOSE}`, [400]],
  ['bare LFs alone', `GET ${PATH} HTTP/1.1\nHost: x\nConnection: close\n\n`, [400]],
  ['bare CRs alone', `GET ${PATH} HTTP/1.1\rHost: x\r\r`, [400]],
  ['an endless name', `${GET}${LONG}: a\r\n${CLOSE}`, [431]],
  ['a long value', `${GET}A: ${LONG.slice(5_000)}\r\n${CLOSE}`, [200]],
  ['2,500 headers', `${GET}${'A:b\r\n'.repeat(2_500)}${CLOSE}`, [WITH_MANY_HEADERS]],
  ['a thousand cookies', `${GET}${'Cookie: a=b\r\n'.repeat(1_000)}${CLOSE}`, [WITH_MANY_HEADERS]],
  [
    'a session that is none',
    `GET /api/user.me HTTP/1.1\r\n${HOST}Cookie: better-auth.session_token=%zz%00\r\n${CLOSE}`,
    [401],
  ],
  ['a key of high bytes', `GET /api/user.me HTTP/1.1\r\n${HOST}X-Api-Key: \xff\xfe\r\n${CLOSE}`, [401]],
  ['addresses that are none', `${GET}X-Forwarded-For: \xff,,, 1,2\r\n${CLOSE}`, [200]],
  [
    'a type that is none',
    `${POST.replace('application/json', ';;;/\xff')}Content-Length: 2\r\n${CLOSE}{}`,
    [415],
  ],
  ['every header for the next hop only', `${GET}Connection: close, host, cookie\r\n\r\n`, [200]],
];

const BODIES: Probe[] = [
  [
    'chunks before a length',
    `${POST}Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n${SMUGGLED}`,
    [400],
  ],
  [
    'a length before chunks',
    `${POST}Content-Length: 70\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${SMUGGLED}`,
    [400],
  ],
  ['one length twice', `${POST}Content-Length: 2\r\nContent-Length: 2\r\n${CLOSE}{}`, [400]],
  ['a list of lengths', `${POST}Content-Length: 2, 2\r\n${CLOSE}{}`, [400]],
  ['a length with a plus', `${POST}Content-Length: +2\r\n${CLOSE}{}`, [400]],
  ['a length below nothing', `${POST}Content-Length: -2\r\n${CLOSE}{}`, [400]],
  ['a length in hexadecimals', `${POST}Content-Length: 0x2\r\n${CLOSE}{}`, [400]],
  ['an empty length', `${POST}Content-Length: \r\n${CLOSE}{}`, [400]],
  ['a length beyond numbers', `${POST}Content-Length: 99999999999999999999999\r\n${CLOSE}{}`, [400]],
  ['a length with a gap', `${POST}Content-Length: 2 2\r\n${CLOSE}{}`, [400]],
  ['a length with a space before its colon', `${POST}Content-Length : 2\r\n${CLOSE}{}`, [400]],
  [
    'chunked twice',
    `${POST}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n${CLOSE}0\r\n\r\n`,
    [400],
  ],
  [
    'an encoding after chunked',
    `${POST}Transfer-Encoding: chunked, gzip\r\n${CLOSE}0\r\n\r\n${SMUGGLED}`,
    [400],
  ],
  ['identity', `${POST}Transfer-Encoding: identity\r\n${CLOSE}0\r\n\r\n${SMUGGLED}`, [400]],
  ['xchunked', `${POST}Transfer-Encoding: xchunked\r\n${CLOSE}0\r\n\r\n${SMUGGLED}`, [400]],
  ['"chunked"', `${POST}Transfer-Encoding: "chunked"\r\n${CLOSE}0\r\n\r\n${SMUGGLED}`, [400]],
  [
    'chunked with a space before its colon',
    `${POST}Transfer-Encoding : chunked\r\n${CLOSE}0\r\n\r\n${SMUGGLED}`,
    [400],
  ],
  [
    'chunked on a folded line',
    `${POST}Transfer-Encoding:\r\n chunked\r\n${CLOSE}0\r\n\r\n${SMUGGLED}`,
    [400],
  ],
  [
    'chunked behind a vertical tab',
    `${POST}Transfer-Encoding: \x0bchunked\r\n${CLOSE}0\r\n\r\n${SMUGGLED}`,
    [400],
  ],
  [
    'chunks in HTTP/1.0',
    `${POST.replace('1.1', '1.0')}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n${SMUGGLED}`,
    [401],
  ],
  ['a chunk with an extension', `${CHUNKED}2;a=b\r\n{}\r\n0\r\n\r\n`, [401]],
  ['an endless extension', `${CHUNKED}2;${LONG}\r\n{}\r\n0\r\n\r\n`, [400]],
  ['a bare LF in an extension', `${CHUNKED}2;a\nb\r\n{}\r\n0\r\n\r\n`, [400]],
  ['a chunk of less than nothing', `${CHUNKED}-2\r\n{}\r\n0\r\n\r\n`, [400]],
  ['a chunk of 0x2', `${CHUNKED}0x2\r\n{}\r\n0\r\n\r\n`, [400]],
  ['a space after the size of a chunk', `${CHUNKED}2 \r\n{}\r\n0\r\n\r\n`, [400]],
  ['a chunk beyond numbers', `${CHUNKED}fffffffffffffffff\r\n{}\r\n0\r\n\r\n`, [400]],
  ['a chunk longer than it says', `${CHUNKED}1\r\n{}\r\n0\r\n\r\n`, [400]],
  ['a bare LF after the size of a chunk', `${CHUNKED}2\n{}\r\n0\r\n\r\n`, [400]],
  ['a bare CR after the size of a chunk', `${CHUNKED}2\r{}\r\n0\r\n\r\n`, [400]],
  ['a trailer', `${CHUNKED}2\r\n{}\r\n0\r\nA: b\r\n\r\n`, [401]],
  ['a length in the trailer', `${CHUNKED}2\r\n{}\r\n0\r\nContent-Length: 70\r\n\r\n${SMUGGLED}`, [400]],
  ['an endless trailer', `${CHUNKED}2\r\n{}\r\n0\r\nA: ${LONG}\r\n\r\n`, [431]],
  [
    'a request in the body of a GET',
    `${GET}Content-Length: ${SMUGGLED.length}\r\n\r\n${SMUGGLED}${SECOND}`,
    [200, 404],
  ],
  [
    'a request in the body of a HEAD',
    `HEAD${GET.slice(3)}Content-Length: ${SMUGGLED.length}\r\n\r\n${SMUGGLED}${SECOND}`,
    [200, 404],
  ],
  ['chunks of a GET', `${GET}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n${SECOND}`, [200, 404]],
  ['100-continue', `${POST}Expect: 100-continue\r\nContent-Length: 2\r\n${CLOSE}{}`, [100, 401]],
  [
    '100-continue for too much',
    `${POST}Expect: 100-continue\r\nContent-Length: 99999999\r\n${CLOSE}`,
    [100, 413],
  ],
  [
    'another expectation, and a request for its body',
    `${POST}Expect: cake\r\nContent-Length: ${SMUGGLED.length}\r\n\r\n${SMUGGLED}`,
    [417],
  ],
  ['an encoding of the content', `${POST}Content-Encoding: gzip\r\nContent-Length: 2\r\n${CLOSE}{}`, [415]],
  [
    'a form without a boundary',
    `${POST.replace('application/json', 'multipart/form-data').replace('createApiKey', 'uploadAvatar')}Content-Length: 2\r\n${CLOSE}{}`,
    [401],
  ],
];

const CONNECTIONS: Probe[] = [
  ['three requests at once', `${GET}\r\nGET /second HTTP/1.1\r\n${HOST}\r\n${GET}${CLOSE}`, [200, 404, 200]],
  [
    'a bad request among good ones',
    `${GET}\r\n${GET}\r\n${GET.replace('Host:', 'Host :')}\r\n${SMUGGLED}`,
    [200, 200, 400],
  ],
  ['a request behind the last one', `${GET}${CLOSE}${SMUGGLED}`, [200]],
  ['garbage behind the last request', `${GET}${CLOSE}\0\x01garbage`, [200]],
  ['a bad chunk behind a good request', `${GET}\r\n${CHUNKED}zz\r\n${SMUGGLED}`, [200, 400]],
  [
    'HTTP/1.0 kept alive',
    `GET ${PATH} HTTP/1.0\r\nConnection: keep-alive\r\n\r\nGET ${PATH} HTTP/1.0\r\n\r\n`,
    [200, 200],
  ],
  ['HTTP/1.0 not kept alive', `GET ${PATH} HTTP/1.0\r\n\r\n${SMUGGLED}`, [200]],
  ['empty lines before a request', `\r\n\r\n${GET}${CLOSE}`, [200]],
  ['nothing but empty lines', '\r\n'.repeat(50_000), [], { thenEnd: true }],
  [
    'an upgrade to h2c',
    `${GET}Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\nConnection: Upgrade, HTTP2-Settings\r\n\r\n`,
    [200],
  ],
  [
    'an upgrade, and a request for its protocol',
    `${GET}Upgrade: websocket\r\nConnection: Upgrade\r\n\r\n${SMUGGLED}`,
    [200],
  ],
  [
    'an upgrade with a body',
    `${POST}Upgrade: h2c\r\nConnection: Upgrade, close\r\nContent-Length: 2\r\n\r\n{}`,
    [401],
  ],
  ['an end before anything', '', [], { thenEnd: true }],
  ['an end within the request line', 'GET /', [400], { thenEnd: true }],
  ['an end within a header', GET, [400], { thenEnd: true }],
  ['an end within a body', `${POST}Content-Length: 100\r\n\r\n{"na`, [400], { thenEnd: true }],
  ['an end within a chunk', `${CHUNKED}ff\r\n{"na`, [400], { thenEnd: true }],
  ['an end before the last chunk', `${CHUNKED}2\r\n{}\r\n`, [400], { thenEnd: true }],
];

describe.each([
  ['request line', LINES],
  ['header', HEADERS],
  ['body', BODIES],
  ['connection', CONNECTIONS],
])('a %s:', (_part, probes) => {
  test.each(probes)('%s', async (_what, bytes, statuses, sent) => {
    expect(await statusesOf(bytes, statuses, sent)).toEqual(statuses);
  });
});

test('5,000 requests sent at once are all answered, in their order', {
  timeout: 60_000,
}, async () => {
  const [ok, missing] = [`${GET}\r\n`, `GET /second HTTP/1.1\r\n${HOST}\r\n`];
  const expected = times(5_000, (n) => (n % 3 === 0 ? 404 : 200));
  const bytes = expected.map((status) => (status === 200 ? ok : missing)).join('');
  expect(await statusesOf(bytes, expected, { withinMs: 50_000 })).toEqual(expected);
});

test.concurrent('all of them at once, three times: the same answers, and nobody else waits', async () => {
  const all = [...LINES, ...HEADERS, ...BODIES, ...CONNECTIONS];
  for (const _round of times(3, (n) => n)) {
    const storm = all.map(([, bytes, statuses, sent]) =>
      statusesOf(bytes, statuses, { ...sent, withinMs: 10_000 }),
    );
    await isHealthy();
    expect(await Promise.all(storm)).toEqual(all.map(([, , statuses]) => statuses));
  }
});

describe('what comes slowly', () => {
  const HEADERS_MS = 10_000;
  const REQUEST_MS = 30_000;
  /** The service looks every 5 s; the rest is for a busy machine. */
  const SLACK_MS = 15_000;
  const upload = `POST /api/user.uploadAvatar HTTP/1.1\r\n${HOST}Content-Type: multipart/form-data; boundary=b\r\n`;
  const SLOW: [what: string, limitMs: number, bytes: string, statuses: number[], drip?: string][] = [
    ['nothing at all', HEADERS_MS, '', [408]],
    ['a request line', HEADERS_MS, 'GET /', [408], 'a'],
    ['a header', HEADERS_MS, `${GET}A: `, [408], 'a'],
    ['empty lines', HEADERS_MS, '', [408], '\r\n'],
    ['a header behind a good request', HEADERS_MS, `${GET}\r\n${GET}A: `, [200, 408], 'a'],
    ['no body', REQUEST_MS, `${POST}Content-Length: 100\r\n\r\n`, [408]],
    ['a body', REQUEST_MS, `${POST}Content-Length: 9999\r\n\r\n`, [408], 'a'],
    ['a chunk of two gigabytes', REQUEST_MS, `${CHUNKED}7fffffff\r\n`, [408], 'a'],
    ['chunks of one byte', REQUEST_MS, CHUNKED, [408], '1\r\na\r\n'],
    ['a picture of nobody', REQUEST_MS, `${upload}Content-Length: 9999\r\n\r\n--b\r\n`, [401], 'a'],
  ];

  test.concurrent('is given up in time, and says so', { timeout: 60_000 }, async () => {
    const answers = SLOW.map(async ([what, limitMs, bytes, statuses, drip = '']) => {
      const started = performance.now();
      const received = await statusesOf(bytes, statuses, { drip, withinMs: limitMs + SLACK_MS });
      const isEarly = performance.now() - started < limitMs;
      return { what, statuses: received, isEarly };
    });
    expect(await Promise.all(answers)).toEqual(
      SLOW.map(([what, , , statuses]) => ({ what, statuses, isEarly: false })),
    );
  });
});
