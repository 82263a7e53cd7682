import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createHarness, type Harness, PASSWORD, type Reply, statuses, times } from '../support/harness.ts';

const PER_ACCOUNT = 10;
const PER_CLIENT = 60;

const signIn = (
  h: Harness,
  email: string,
  headers: Record<string, string> = {},
  password = 'Wrong-horse-1',
) => h.anonymous.post('auth/sign-in/email', { email, password }, headers);
/** All of them, a few at a time: more would wait too long for their turn at the password hash. */
async function afterAnother(count: number, attempt: (i: number) => Promise<Reply>): Promise<Reply[]> {
  const replies: Reply[] = [];
  while (replies.length < count) {
    replies.push(...(await Promise.all(times(6, (i) => attempt(replies.length + i)))));
  }
  return replies;
}
const from = (address: string) => ({ 'x-forwarded-for': address });

function expectRefused({ status, body, headers }: Reply) {
  expect(status).toBe(429);
  expect(body).toMatchObject({
    message: 'Too many attempts. Try again later.',
    code: 'TOO_MANY_REQUESTS',
    data: { httpStatus: 429, reason: 'too_many_attempts' },
  });
  const retryAfter = Number(headers.get('retry-after'));
  expect(retryAfter).toBeGreaterThan(0);
  expect(retryAfter).toBeLessThanOrEqual(60);
  expect(headers.get('ratelimit')).toBe(`"too_many_attempts";r=0;t=${retryAfter}`);
}

describe('behind no proxy', () => {
  let h: Harness;
  beforeAll(async () => {
    h = await createHarness();
  });
  afterAll(() => h[Symbol.asyncDispose]());

  test('a client has 60 attempts a minute over all accounts, whatever addresses it makes up', async () => {
    const spoofed = (i: number) => ({
      ...from(`203.0.113.${i}`),
      'x-real-ip': `203.0.113.${i}`,
      forwarded: `for=203.0.113.${i}`,
      'x-client-ip': `203.0.113.${i}`,
      'cf-connecting-ip': `203.0.113.${i}`,
      'x-tenantry-client-address': `203.0.113.${i}`,
    });
    const attempt = (i: number) => signIn(h, `nobody${i}@example.org`, spoofed(i));
    const replies = await afterAnother(PER_CLIENT, attempt);
    expect(statuses(replies)).toEqual(times(PER_CLIENT, () => 401));
    expectRefused(await attempt(PER_CLIENT + 1));

    const signUp = { email: 'late@example.org', password: PASSWORD, name: 'Late' };
    expectRefused(await h.anonymous.post('auth/sign-up/email', signUp, spoofed(200)));
    expect(await h.sql`select 1 from users`).toEqual([]);
  });
});

describe('behind a trusted proxy', () => {
  let h: Harness;
  beforeAll(async () => {
    h = await createHarness({ TRUSTED_PROXIES: '127.0.0.1,10.0.0.0/8' });
  });
  afterAll(() => h[Symbol.asyncDispose]());

  test('an account has 10 attempts a minute from everywhere, and the right password is none the better', async () => {
    const { email } = await h.user();
    const replies = await Promise.all(times(30, (i) => signIn(h, email, from(`198.51.100.${i}`))));
    expect(statuses(replies)).toEqual([...times(PER_ACCOUNT, () => 401), ...times(20, () => 429)]);
    for (const reply of replies.filter(({ status }) => status === 429)) expectRefused(reply);
    expectRefused(await signIn(h, email, from('198.51.100.99'), PASSWORD));
    expectRefused(await signIn(h, ` ${email.toUpperCase()} `, from('198.51.100.98'), PASSWORD));

    const other = await h.user();
    expect((await signIn(h, other.email, from('198.51.100.99'), PASSWORD)).status).toBe(200);
  });

  test('an account that does not exist is counted alike', async () => {
    const replies = await Promise.all(
      times(11, (i) => signIn(h, 'absent@example.org', from(`192.0.2.${i}`))),
    );
    expect(statuses(replies)).toEqual([...times(PER_ACCOUNT, () => 401), 429]);
  });

  test('an IPv6 client is its /64, and what it says before the proxy does not count', async () => {
    const attempt = (i: number, network: string) =>
      signIn(h, `six${i}@example.org`, from(`203.0.113.${i}, ${network}::${i.toString(16)}, 10.1.2.3`));
    const replies = await afterAnother(PER_CLIENT, (i) => attempt(i, '2001:db8:0:1'));
    expect(statuses(replies)).toEqual(times(PER_CLIENT, () => 401));
    expectRefused(await attempt(PER_CLIENT + 1, '2001:db8:0:1'));
    expect((await attempt(PER_CLIENT + 2, '2001:db8:0:2')).status).toBe(401);
  });

  test.each([
    ['the client’s address', '203.0.113.7', '203.0.113.7'],
    ['the last address that is not a trusted proxy’s', '1.1.1.1, 203.0.113.8, 10.0.0.1', '203.0.113.8'],
  ])('the session remembers %s', async (_what, forwarded, address) => {
    const user = await h.user();
    await h.sql`delete from sessions where user_id = ${user.id}`;
    expect((await signIn(h, user.email, from(forwarded), PASSWORD)).status).toBe(200);
    const rows = await h.sql`select ip_address from sessions where user_id = ${user.id}`;
    expect(rows).toEqual([{ ipAddress: address }]);
  });

  test.each([
    ['203.0.113.20:50123', '203.0.113.20'],
    ['[2001:DB8:0:0::9]:443', '2001:db8::9'],
    ['::ffff:203.0.113.21', '203.0.113.21'],
    ['garbage', '127.0.0.1'],
    ['x'.repeat(6_000), '127.0.0.1'],
  ])('%.30s is one client, whatever its port', async (forwarded, address) => {
    const user = await h.user();
    await h.sql`delete from sessions where user_id = ${user.id}`;
    expect((await signIn(h, user.email, from(forwarded), PASSWORD)).status).toBe(200);
    expect(await h.sql`select ip_address from sessions where user_id = ${user.id}`).toEqual([
      { ipAddress: address },
    ]);
  });

  test('an address that is none is no fault of ours', async () => {
    const user = await h.user();
    for (const address of [
      'garbage',
      '',
      ',,,',
      '999.1.1.1',
      '[::1]:80',
      "'; drop table users",
      '203.0.113.9:1234',
    ]) {
      const { status } = await signIn(h, user.email, from(address), PASSWORD);
      expect({ address, status }).toEqual({ address, status: 200 });
      expect((await user.send('/api/user.session', { headers: from(address) })).status).toBe(200);
    }
  });
});
