import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import {
  createHarness,
  type Harness,
  PASSWORD,
  type Reply,
  type TestUser,
  times,
} from '../support/harness.ts';

let h: Harness;
let ada: TestUser;
beforeEach(async () => {
  h = await createHarness();
  ada = await h.user();
  h.logLines.length = 0;
});
afterEach(async () => {
  vi.restoreAllMocks();
  await h[Symbol.asyncDispose]();
});

const CANARY = 'Canary-in-the-coal-mine-1';
const logs = () => h.logLines.map((line) => JSON.parse(line) as Record<string, unknown> & { err?: Error });
const failuresOf = (reply: Reply) =>
  logs().filter(({ reqId, msg }) => msg === 'request failed' && reqId === reply.headers.get('x-request-id'));

function expectInternal(reply: Reply, path: string) {
  expect(reply.status).toBe(500);
  expect(reply.body).toEqual({
    message: 'Internal server error',
    code: 'INTERNAL_SERVER_ERROR',
    data: { code: 'INTERNAL_SERVER_ERROR', httpStatus: 500, path, reason: 'internal' },
  });
}

describe('a fault inside', () => {
  test('is not told on plain HTTP, and its cause is in the log under the request’s id', async () => {
    await h.sql`alter table api_keys rename to elsewhere`;
    const reply = await ada.get('apiKey.all');
    expectInternal(reply, 'apiKey.all');
    expect(failuresOf(reply)).toMatchObject([
      {
        level: 50,
        path: 'apiKey.all',
        err: { type: 'PostgresError', code: '42P01', stack: expect.any(String) },
      },
    ]);
  });

  test('is not told on tRPC, alone, in a batch or as a stream', async () => {
    await h.sql`alter table api_keys rename to elsewhere`;
    const single = await ada.get('trpc/apiKey.all');
    expect(single.status).toBe(500);
    expect(single.body.error.json).toEqual({
      message: 'Internal server error',
      code: -32603,
      data: { code: 'INTERNAL_SERVER_ERROR', httpStatus: 500, path: 'apiKey.all', reason: 'internal' },
    });
    const batch = await ada.get('trpc/apiKey.all,user.session?batch=1');
    expect(batch.status).toBe(207);
    expect(batch.body[0]).toEqual(single.body);
    const stream = await ada.send('/api/trpc/apiKey.all?batch=1', {
      headers: { accept: 'application/jsonl' },
    });
    expect(stream.text).toContain('"message":"Internal server error"');
    for (const reply of [single, batch, stream]) {
      expect(reply.text).not.toMatch(/api_keys|select|relation|stack|\.ts/i);
      expect(failuresOf(reply)).toMatchObject([{ path: 'apiKey.all', err: { code: '42P01' } }]);
    }
  });

  test('before a procedure, in finding out who calls, is not told either', async () => {
    await h.sql`alter table sessions rename to elsewhere`;
    expectInternal(await ada.get('user.session'), 'user.session');
    for (const headers of [{ accept: 'application/json' }, { accept: 'application/jsonl' }]) {
      const { text } = await ada.send('/api/trpc/user.session?batch=1', { headers });
      expect(text).toContain('"message":"Internal server error"');
      expect(text).not.toMatch(/relation|select/);
    }
  });

  test('leaves the values of the row that failed out of the log', async () => {
    await h.sql`alter table organizations add constraint nothing_goes check (false) not valid`;
    const reply = await ada.post('organization.create', { name: CANARY, description: CANARY });
    expectInternal(reply, 'organization.create');
    expect(failuresOf(reply)).toMatchObject([{ err: { code: '23514', constraint_name: 'nothing_goes' } }]);
    expect(h.logLines.join('')).not.toContain(CANARY);
  });
});

describe('a fault inside better-auth', () => {
  const signIn = () => h.anonymous.post('auth/sign-in/email', { email: ada.email, password: PASSWORD });

  test.each([
    ['accounts', 'auth/sign-in/email', signIn],
    ['sessions', 'auth/sign-in/email', signIn],
    ['sessions', 'auth/get-session', () => ada.get('auth/get-session')],
    ['sessions', 'auth/sign-out', () => ada.post('auth/sign-out')],
  ])('without %s, %s fails, and says why in the log and nowhere else', async (table, path, ask) => {
    const printed = (['error', 'warn', 'log', 'info'] as const).map((name) =>
      vi.spyOn(console, name).mockImplementation(() => {}),
    );
    await h.sql`alter table ${h.sql(table)} rename to elsewhere`;
    const reply = await ask();
    expectInternal(reply, path);
    expect(reply.headers.getSetCookie()).toEqual([]);
    expect(failuresOf(reply)).toMatchObject([
      { path, err: { code: '42P01', message: `relation "${table}" does not exist` } },
    ]);
    for (const spy of printed) expect(spy).not.toHaveBeenCalled();
    for (const secret of [PASSWORD, ada.email, ada.cookie.slice(30, 60)]) {
      expect(h.logLines.join('')).not.toContain(secret);
    }
  });

  test('while more passwords wait than can be hashed, a sign-in is told to come again', async () => {
    const { passwords } = h.app.deps;
    const hashing = () => passwords.hash(PASSWORD).then(() => 'hashed', String);
    const crowd = setInterval(() => times(8, () => passwords.hash(PASSWORD).catch(() => {})), 1);
    try {
      await expect.poll(hashing, { timeout: 10_000 }).toContain('Too many sign-ins');
      let reply = await signIn();
      // A place may come free just as a sign-in asks for one.
      for (let n = 0; n < 4 && reply.status === 200; n += 1) reply = await signIn();
      const { status, body, headers } = reply;
      expect({ status, reason: body.data.reason }).toEqual({ status: 503, reason: 'too_many_sign_ins' });
      expect(headers.get('retry-after')).toBe('1');
    } finally {
      clearInterval(crowd);
    }
    await expect.poll(hashing, { timeout: 10_000 }).toBe('hashed');
    expect((await signIn()).status).toBe(200);
  });
});

test('the log has each request and no secret of it', async () => {
  const key = await h.key(ada);
  h.logLines.length = 0;
  const secrets = { token: CANARY, password: CANARY, name: CANARY };
  const replies = [
    await ada.send(`/api/invitation.preview?token=${CANARY}`, {}),
    await ada.send(`/invitation?token=${CANARY}`, {}),
    await ada.send(`/api/%zz?token=${CANARY}`, {}),
    await ada.send(`/nothing?token=${CANARY}`, {}),
    await ada.send(`/api/trpc/invitation.preview?input=${encodeURIComponent(JSON.stringify(secrets))}`, {}),
    await key.get('user.session', { token: CANARY }),
    await h.anonymous.post('auth/sign-in/email', { email: ada.email, password: CANARY }),
    await h.anonymous.post('auth/sign-up/email', { ...secrets, email: 'new@example.org' }),
    await ada.post('organization.create', secrets),
    await ada.send('/api/user.session', { headers: { authorization: CANARY, 'user-agent': CANARY } }),
  ];
  const answered = () => logs().filter(({ msg }) => msg === 'answered');
  await expect.poll(() => answered().length, { timeout: 5_000 }).toBe(replies.length);
  for (const [i, reply] of replies.entries()) {
    expect(answered()[i]).toMatchObject({
      reqId: reply.headers.get('x-request-id'),
      method: expect.stringMatching(/^(GET|POST)$/),
      path: expect.stringMatching(/^\/[^?]*$/),
      ip: '127.0.0.1',
      status: reply.status,
      ms: expect.any(Number),
    });
  }
  const session = decodeURIComponent(ada.cookie).split('=')[1]?.split('.')[0] ?? CANARY;
  for (const secret of [CANARY, key.key, session, ada.email]) {
    expect(h.logLines.join('')).not.toContain(secret);
  }
});
