import { once } from 'node:events';
import { createServer as createHttpsServer } from 'node:https';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { createSafePost, type SafePostOptions } from '../../src/platform/safe-fetch.ts';
import { CERTIFICATE } from '../support/certificate.ts';
import { createReceiver, drop, type Receiver, stall, status } from '../support/receiver.ts';

let receiver: Receiver;
beforeAll(async () => {
  receiver = await createReceiver();
});
afterAll(() => receiver[Symbol.asyncDispose]());
beforeEach(() => {
  receiver.got.length = 0;
  receiver.answers(status(204));
});

const LOOPBACK = ['127.0.0.0/8'];
const MESSAGE = { headers: { 'content-type': 'application/json', 'x-own': 'yes' }, body: '{"a":"ü"}' };
const PATIENT = { connect: 5_000, total: 10_000 };
const QUICK = { patience: { connect: 300, total: 500 } };
const post = (url: string, options: Partial<SafePostOptions> = {}) =>
  createSafePost({ allowedNetworks: LOOPBACK, patience: PATIENT, ...options })(url, MESSAGE);

describe('an address that is not public is refused, and nothing connects', () => {
  test.each([
    '127.0.0.1',
    '127.1',
    '2130706433',
    '0x7f000001',
    '017700000001',
    '0177.0.0.1',
    '0x7f.1',
    '0.0.0.0',
    '0',
    '127.0.0.1.',
    '[::1]',
    '[::]',
    '[::ffff:127.0.0.1]',
    '[::ffff:7f00:1]',
    '[::127.0.0.1]',
    '[::7f00:1]',
    '[64:ff9b::127.0.0.1]',
    '①②⑦.⓪.⓪.①',
  ])('%s', async (host) => {
    const before = receiver.connections();
    const url = `http://${host}:${receiver.port}/`;
    expect(await post(url, { allowedNetworks: [] })).toEqual({ failure: 'address_not_allowed' });
    expect(receiver.connections()).toBe(before);
  });

  test.each([
    '127.0.0.1',
    '10.0.0.1',
    '169.254.169.254',
    '::1',
    'fd00::1',
    '::ffff:127.0.0.1',
    'not an address',
  ])('a name for %s', async (address) => {
    const options = { allowedNetworks: [], resolve: async () => [address] };
    const url = `http://rebind.example.org:${receiver.port}/`;
    expect(await post(url, options)).toEqual({ failure: 'address_not_allowed' });
  });

  test('a name for a public address and a private one', async () => {
    const resolve = async () => ['8.8.8.8', '10.0.0.1'];
    expect(await post('http://both.example.org/', { resolve })).toEqual({ failure: 'address_not_allowed' });
  });

  test('what is allowed is that range and no other', async () => {
    const options = { allowedNetworks: ['10.0.0.0/8'] };
    expect(await post(receiver.url, options)).toEqual({ failure: 'address_not_allowed' });
    expect(await post(receiver.url)).toMatchObject({ status: 204 });
  });
});

test('what was checked is what is connected to, whatever the name stands for a moment later', async () => {
  const answers = [['127.0.0.1'], ['127.0.0.2']];
  let asked = 0;
  const resolve = async () => answers[asked++] ?? [];
  const options = { allowedNetworks: ['127.0.0.1'], resolve };
  const url = `http://rebind.example.org:${receiver.port}/hook?a=b`;
  expect(await post(url, options)).toMatchObject({ status: 204 });
  expect(asked, 'asked once').toBe(1);
  expect(receiver.got).toMatchObject([
    { path: '/hook?a=b', method: 'POST', body: MESSAGE.body, headers: { 'x-own': 'yes' } },
  ]);
  expect(receiver.got[0]?.headers.host).toBe(`rebind.example.org:${receiver.port}`);
  expect(receiver.got[0]?.headers.connection).toBe('close');
  expect(await post(url, options)).toEqual({ failure: 'address_not_allowed' });
});

test('another address of the host is tried when the first does not answer', async () => {
  const resolve = async () => ['127.0.0.9', '127.0.0.1'];
  expect(await post(`http://two.example.org:${receiver.port}/`, { resolve })).toMatchObject({ status: 204 });
});

test('a name that does not exist, or whose server fails or says nothing', async () => {
  const url = 'http://nowhere.example.org/';
  expect(await post(url, { resolve: async () => [] })).toEqual({ failure: 'host_not_found' });
  expect(await post(url, { resolve: () => Promise.reject(new Error('SERVFAIL')) })).toEqual({
    failure: 'host_not_found',
  });
  expect(await post(url, { ...QUICK, resolve: () => new Promise(() => {}) })).toEqual({
    failure: 'timed_out',
  });
});

test('a redirect is an answer, and not followed', async () => {
  receiver.answers(status(302, { location: receiver.url }, 'moved'));
  expect(await post(receiver.url)).toEqual({ status: 302, retryAfter: null, body: 'moved' });
  expect(receiver.got).toHaveLength(1);
});

test('no proxy of the environment is used', async () => {
  process.env.HTTP_PROXY = 'http://127.0.0.1:1';
  process.env.NODE_USE_ENV_PROXY = '1';
  try {
    expect(await post(receiver.url)).toMatchObject({ status: 204 });
  } finally {
    delete process.env.HTTP_PROXY;
    delete process.env.NODE_USE_ENV_PROXY;
  }
});

describe('a receiver that does not play along', () => {
  test('says nothing', async () => {
    receiver.answers(stall);
    expect(await post(receiver.url, QUICK)).toEqual({ failure: 'timed_out' });
  });

  test('hangs up', async () => {
    receiver.answers(drop);
    expect(await post(receiver.url)).toEqual({ failure: 'connection_failed' });
  });

  test('sends headers without end', async () => {
    let timer: NodeJS.Timeout | undefined;
    receiver.answers((response) => {
      const { socket } = response;
      socket?.write('HTTP/1.1 200 OK\r\n');
      timer = setInterval(() => socket?.write('x: y\r\n'), 20);
      socket?.on('close', () => clearInterval(timer));
    });
    expect(await post(receiver.url, QUICK)).toEqual({ failure: 'timed_out' });
  });

  test('answers at once and then drips its body: the answer counts', async () => {
    receiver.answers((response) => {
      response.writeHead(200);
      const timer = setInterval(() => response.write('x'), 20);
      response.on('close', () => clearInterval(timer));
    });
    const outcome = await post(receiver.url, QUICK);
    expect(outcome).toMatchObject({ status: 200, body: expect.stringMatching(/^x+$/) });
  });

  test('sends a body without end: the first 1 KB is read and the rest is not waited for', async () => {
    receiver.answers((response) => {
      response.writeHead(200);
      const more = () => {
        while (!response.destroyed && response.write('y'.repeat(65_536)));
      };
      response.on('drain', more);
      more();
    });
    const start = performance.now();
    const outcome = await post(receiver.url);
    expect(outcome).toMatchObject({ status: 200, body: 'y'.repeat(1024) });
    expect(performance.now() - start).toBeLessThan(5_000);
  });

  test('sends what no database takes', async () => {
    receiver.answers((response) =>
      response.writeHead(500).end(Buffer.from([0x61, 0, 0xff, 0x1b, 0x62, 0x0a])),
    );
    expect(await post(receiver.url)).toEqual({ status: 500, retryAfter: null, body: 'a\ufffdb\n' });
  });

  test('hangs up in the middle of a body', async () => {
    receiver.answers((response) => {
      response.writeHead(200, { 'content-length': '100' });
      response.write('part', () => response.socket?.destroy());
    });
    expect(await post(receiver.url)).toMatchObject({ status: 200 });
  });

  test.each([
    ['hello\r\n\r\n', 'invalid_response'],
    [`HTTP/1.1 200 OK\r\nx: ${'y'.repeat(100_000)}\r\n\r\n`, 'invalid_response'],
    ['', 'connection_failed'],
  ])('speaks something else: %#', async (text, failure) => {
    const server = createTcpServer((socket) => {
      socket.on('error', () => {});
      socket.once('data', () => socket.end(text));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    expect(await post(`http://127.0.0.1:${port}/`)).toEqual({ failure });
    expect(await post(`https://127.0.0.1:${port}/`)).not.toHaveProperty('status');
    server.close();
    await once(server, 'close');
    expect(await post(`http://127.0.0.1:${port}/`)).toEqual({ failure: 'connection_failed' });
  });

  test('cannot say who it is', async () => {
    expect(await post(receiver.url.replace('http:', 'https:'))).toEqual({ failure: 'tls_failed' });
  });
});

describe('https', () => {
  async function serve() {
    const names: unknown[] = [];
    const server = createHttpsServer(CERTIFICATE, (request, response) => {
      names.push((request.socket as TLSSocket).servername);
      setTimeout(() => response.end('hello'), 400); // longer than a connection may take
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    onTestFinished(() => {
      server.closeAllConnections();
      server.close();
    });
    return { names, port: (server.address() as AddressInfo).port };
  }
  const options = {
    resolve: async () => ['127.0.0.1'],
    patience: { connect: 300, total: 3_000 },
  };

  test('asks the checked address for the name', async () => {
    vi.stubEnv('NODE_TLS_REJECT_UNAUTHORIZED', '0'); // nobody vouches for the certificate
    onTestFinished(() => void vi.unstubAllEnvs());
    const { names, port } = await serve();
    const url = `https://hooks.example.org.:${port}/`;
    expect(await post(url, options)).toEqual({ status: 200, retryAfter: null, body: 'hello' });
    expect(names).toEqual(['hooks.example.org']);
  });

  test('refuses a certificate that nobody vouches for', async () => {
    const { names, port } = await serve();
    expect(await post(`https://hooks.example.org:${port}/`, options)).toEqual({ failure: 'tls_failed' });
    expect(names).toEqual([]);
  });
});
