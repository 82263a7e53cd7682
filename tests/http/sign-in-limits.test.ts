import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { signInLimiter } from '../../src/auth/limits.ts';
import { createMemoryRateLimiter } from '../../src/platform/rate-limiter.ts';
import { createHarness, type Harness, PASSWORD, statuses, times } from '../support/harness.ts';

/* What is limited for whom is in auth-limits.test.ts; this is how the holder of an account stays let in. */

const WRONG = 'Wrong-horse-1';
const PER_ACCOUNT = 10;
const HOME = '203.0.113.5';

let h: Harness;
beforeAll(async () => {
  h = await createHarness({ TRUSTED_PROXIES: '127.0.0.1' });
});
afterAll(() => h[Symbol.asyncDispose]());
afterEach(() => {
  vi.useRealTimers();
});

const signIn = (email: string, from: string, password = PASSWORD) =>
  h.anonymous.post('auth/sign-in/email', { email, password }, { 'x-forwarded-for': from });

/** Guesses from as many addresses as it takes to use an account's attempts up. */
async function exhaust(email: string, network: string): Promise<void> {
  const replies = await Promise.all(times(PER_ACCOUNT, (i) => signIn(email, `${network}.${i}`, WRONG)));
  expect(statuses(replies)).toEqual(times(PER_ACCOUNT, () => 401));
  expect((await signIn(email, `${network}.99`)).status).toBe(429);
}

/** Somebody who has signed in from `HOME` once, a minute or more ago. */
async function holder() {
  const user = await h.user();
  expect((await signIn(user.email, HOME)).status).toBe(200);
  later(61);
  return user;
}
let passed = 0;
function later(seconds: number): void {
  passed += seconds * 1000;
  vi.useRealTimers();
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + passed });
}

describe('while others use an account’s attempts up', () => {
  test('its holder gets in from where he has signed in before, and from nowhere else', async () => {
    const { email } = await holder();
    await exhaust(email, '198.51.100');
    expect((await signIn(email, HOME)).status).toBe(200);
    expect((await signIn(email, '203.0.113.6')).status).toBe(429);
  });

  test('who guesses from such an address has ten attempts more, and no more', async () => {
    const { email } = await holder();
    await exhaust(email, '198.51.101');
    const replies = await Promise.all(times(PER_ACCOUNT, () => signIn(email, HOME, WRONG)));
    expect(statuses(replies)).toEqual(times(PER_ACCOUNT, () => 401));
    expect((await signIn(email, HOME)).status).toBe(429);
  });

  test('an address is known to the account that was signed in to, not to others', async () => {
    await holder();
    const stranger = await h.user();
    await exhaust(stranger.email, '198.51.102');
    expect((await signIn(stranger.email, HOME)).status).toBe(429);
  });

  test('an IPv6 client is known by its /64', async () => {
    const { email } = await h.user();
    expect((await signIn(email, '2001:db8:77:1::aaaa')).status).toBe(200);
    later(61);
    await exhaust(email, '198.51.105');
    expect((await signIn(email, '2001:db8:77:1:1:2:3:4')).status).toBe(200);
    expect((await signIn(email, '2001:db8:77:2::aaaa')).status).toBe(429);
  });

  test('an attempt that failed makes no address known', async () => {
    const { email } = await h.user();
    expect((await signIn(email, '203.0.113.7', WRONG)).status).toBe(401);
    later(61);
    await exhaust(email, '198.51.103');
    expect((await signIn(email, '203.0.113.7')).status).toBe(429);
  });
});

test('a minute later everybody may try again', async () => {
  const { email } = await h.user();
  await exhaust(email, '198.51.104');
  for (let n = 0; n < 5; n += 1) expect((await signIn(email, '198.51.104.99')).status).toBe(429);
  later(61);
  expect((await signIn(email, '198.51.104.99')).status).toBe(200);
});

test('all together have what there is time to hash in half a minute, and who is known still gets in', async () => {
  const { email } = await holder();
  const attempt = signInLimiter(h.app.deps, createMemoryRateLimiter());
  const most = h.app.deps.passwords.perMinute / 2;
  const stranger = (i: number) => attempt(`client ${i}`, `nobody${i}@example.org`);
  for (let i = 0; i < most; i += 1) await stranger(i);
  await expect(stranger(most)).rejects.toMatchObject({ code: 'TOO_MANY_REQUESTS' });
  await expect(attempt('198.51.100.1', email)).rejects.toMatchObject({ reason: 'too_many_attempts' });
  await attempt(HOME, email);
});

test('who registers by user.register is one of all together, and takes the sign-in away from nobody who is known', async () => {
  const { email } = await holder();
  const most = h.app.deps.passwords.perMinute / 2;
  const register = (i: number) =>
    h.anonymous.post(
      'user.register',
      { email: `new${i}@example.org`, password: 'weak', firstName: 'New', lastName: '' },
      { 'x-forwarded-for': `2001:db8:${i.toString(16)}::1` },
    );
  later(61);
  for (let sent = 0; sent < most; sent += 20) {
    const replies = await Promise.all(times(20, (i) => register(sent + i)));
    expect(statuses(replies)).toEqual(times(20, () => 400));
  }
  const { status, body } = await register(most);
  expect([status, body.data.reason]).toEqual([429, 'too_many_attempts']);
  expect((await signIn(email, '198.51.100.7')).status).toBe(429);
  expect((await signIn(email, HOME)).status).toBe(200);
});
