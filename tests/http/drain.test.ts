import { EventEmitter, once } from 'node:events';
import fastify from 'fastify';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { endWithLastRequest } from '../../src/http/drain.ts';
import { createPending } from '../../src/http/pending.ts';
import { createHarness, type Harness, type TestUser, times } from '../support/harness.ts';
import { type Held, hold } from './held.ts';
import { openSocket } from './raw-socket.ts';

let h: Harness;
let ada: TestUser;
let organizationId: string;
let held: Held;
beforeEach(async () => {
  h = await createHarness();
  const organization = await h.organization();
  ada = organization.owner;
  organizationId = organization.id;
  held = await hold(h.databaseUrl, `select 1 from organizations where id = '${organizationId}' for update`);
});
afterEach(() => h[Symbol.asyncDispose]());

const rename = (name: string) => ada.post('organization.update', { organizationId, name });
const isRefused = () =>
  fetch(`${h.baseUrl}/health`).then(
    () => false,
    (error: Error) => String(error.cause).includes('ECONNREFUSED'),
  );

test('what was accepted is finished, nothing new is accepted, and then the service ends', async () => {
  const slow = [
    rename('Before the end'),
    ada.post('trpc/organization.update', { organizationId, logo: 'x' }),
  ];
  await held.waiters(2);
  let isClosed = false;
  const closing = h.app.close().then(() => {
    isClosed = true;
  });
  await expect.poll(isRefused, { timeout: 5_000 }).toBe(true);
  expect(isClosed).toBe(false);

  await held.release();
  for (const reply of await Promise.all(slow)) {
    expect(reply.status).toBe(200);
    expect(reply.headers.get('connection')).toBe('close');
  }
  await closing;
  const rows = await h.sql`select name, logo from organizations where id = ${organizationId}`;
  expect(rows).toEqual([{ name: 'Before the end', logo: 'x' }]);
});

test('connections that only stand open do not hold up the end', { timeout: 5_000 }, async () => {
  const silent = openSocket(h.baseUrl);
  const halfway = openSocket(h.baseUrl);
  const keptAlive = openSocket(h.baseUrl);
  halfway.write('GET /health HTTP/1.1\r\nHost: x\r\n');
  keptAlive.write('GET /health HTTP/1.1\r\nHost: x\r\n\r\n');
  await Promise.all([once(silent, 'connect'), once(halfway, 'connect'), once(keptAlive, 'data')]);
  const ends = [silent, halfway, keptAlive].map((socket) => {
    socket.on('error', () => {}); // a reset ends it as well
    return once(socket, 'close');
  });
  await held.release();
  await h.app.close();
  await Promise.all(ends);
});

test('many that are answered at the same moment are waited for by one listener each', async () => {
  const warnings: Error[] = [];
  const warn = (warning: Error) => void warnings.push(warning);
  process.on('warning', warn);
  const app = fastify();
  const pending = createPending();
  pending.watch(app.server);
  endWithLastRequest(app, pending);
  const gate = new EventEmitter();
  const opened = once(gate, 'open');
  app.get('/', () => opened);
  const url = await app.listen({ port: 0, host: '127.0.0.1' });
  let begun = 0;
  app.server.on('request', () => {
    begun += 1;
  });
  const replies = times(32, () => fetch(url).then(({ status }) => status));
  await expect.poll(() => begun).toBe(32);
  const closing = app.close();
  gate.emit('open', 'late');
  expect(await Promise.all(replies)).toEqual(times(32, () => 200));
  await closing;
  process.off('warning', warn);
  expect(warnings).toEqual([]);
});

test('a request that never comes to its end does not hold up the end for longer than is waited for', async () => {
  const app = fastify();
  const pending = createPending();
  pending.watch(app.server);
  endWithLastRequest(app, pending, 50);
  app.post('/', async () => 'never');
  const socket = openSocket(await app.listen({ port: 0, host: '127.0.0.1' }));
  socket.on('error', () => {}); // a reset ends it as well
  const begun = once(app.server, 'request');
  socket.write(
    'POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{',
  );
  await begun;
  const ended = once(socket, 'close');
  await app.close();
  await ended;
});

test('requests that were sent behind a slow one do not hold up the end', { timeout: 5_000 }, async () => {
  const socket = openSocket(h.baseUrl);
  const received: string[] = [];
  socket.on('data', (chunk) => received.push(String(chunk)));
  const body = JSON.stringify({ organizationId, name: 'Pipelined' });
  const headers = `Host: x\r\nCookie: ${ada.cookie}\r\nContent-Type: application/json`;
  socket.write(
    `POST /api/organization.update HTTP/1.1\r\n${headers}\r\nContent-Length: ${body.length}\r\n\r\n${body}` +
      'GET /health HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(3),
  );
  await held.waiters(1);
  const closing = h.app.close();
  await expect.poll(isRefused, { timeout: 5_000 }).toBe(true);
  await held.release();
  await closing;
  expect(received.join('')).toMatch(/^HTTP\/1\.1 200 OK/);
  expect(received.join('')).toContain('"name":"Pipelined"');
});
