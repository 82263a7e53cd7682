import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { ensureRootAdmin, registerAccount } from '../../src/domain/account/index.ts';
import {
  createHarness,
  type Harness,
  PASSWORD,
  type Reply,
  type TestUser,
  times,
} from '../support/harness.ts';
import { invite, newAddress, tokenFor, untilBlocked } from './stage.ts';

/* Ages are told on this day. */
const TODAY = Date.UTC(2031, 4, 15, 12);
const NOWHERE = { ipAddress: null, userAgent: null, requestId: null };
const BEHIND_PROXY = { TRUSTED_PROXIES: '127.0.0.1' };

let h: Harness;
let root: TestUser;
beforeAll(async () => {
  h = await createHarness(BEHIND_PROXY);
  h.clock.advance(TODAY - Date.now());
  root = await h.user();
});
afterAll(() => h[Symbol.asyncDispose]());
afterEach(() => h.sql`delete from settings`);

type Input = Record<string, unknown>;

/** Another client each time: neither way lets one client register for long. */
let clients = 0;
const from = (client = ++clients) => ({ 'x-forwarded-for': `203.0.${client >> 8}.${client & 255}` });

const register = (input: Input = {}, { at = h, headers = from() } = {}): Promise<Reply> =>
  at.anonymous.post(
    'user.register',
    { email: newAddress(), password: PASSWORD, firstName: 'Ada', lastName: 'Lovelace', ...input },
    headers,
  );
const signUp = (input: Input = {}, { at = h, headers = from() } = {}): Promise<Reply> =>
  at.anonymous.post(
    'auth/sign-up/email',
    { email: newAddress(), password: PASSWORD, name: 'Ada Lovelace', ...input },
    headers,
  );
const WAYS = [
  { way: 'user.register', send: register },
  { way: 'auth/sign-up/email', send: signUp },
];

async function setRules(changes: Input): Promise<void> {
  expect((await root.post('settings.update', changes)).status).toBe(200);
}

const refusal = ({ status, body }: Reply) => [status, body.data?.reason, body.issues?.[0]?.path?.[0]];
const accountOf = async (email: string) => (await h.sql`select * from users where email = ${email}`)[0];

describe('user.register', () => {
  test('makes an account with its personal organization, and signs nobody in', async () => {
    const email = newAddress();
    const reply = await register({
      email: ` ${email.toUpperCase()} `,
      firstName: ' Ada ',
      dateOfBirth: '1990-02-28',
      billingCountry: 'IE',
    });
    expect(reply.body).toEqual({ success: true, userId: expect.any(String) });
    expect(reply.headers.getSetCookie()).toEqual([]);
    const { userId } = reply.body;
    expect(await h.sql`select 1 from sessions where user_id = ${userId}`).toHaveLength(0);
    const [row] = await h.sql`
      select u.*, date_of_birth::text as day, o.name as organization
      from users u join organizations o on o.owner_id = u.id where u.id = ${userId}`;
    expect(row).toMatchObject({
      email,
      name: 'Ada Lovelace',
      firstName: 'Ada',
      lastName: 'Lovelace',
      day: '1990-02-28',
      billingCountry: 'IE',
      role: 'user',
      emailVerified: false,
      organization: "Ada Lovelace's organization",
    });
    const signedIn = await h.anonymous.post('auth/sign-in/email', { email, password: PASSWORD }, from());
    expect(signedIn.status).toBe(200);
  });

  test('takes the longest names, and people of one name', async () => {
    const names = { firstName: 'a'.repeat(64), lastName: 'b'.repeat(64) };
    expect((await register(names)).status).toBe(200);
    const email = newAddress();
    expect((await register({ email, firstName: 'Plato', lastName: ' ' })).status).toBe(200);
    expect(await accountOf(email)).toMatchObject({ name: 'Plato', lastName: '' });
  });

  test('joins by an invitation', async () => {
    const { id, owner } = await h.organization();
    const { email } = await invite(owner, id);
    const { status, body } = await register({ email, invitationToken: await tokenFor(h, email) });
    expect(status).toBe(200);
    const memberships =
      await h.sql`select organization_id, role from memberships where user_id = ${body.userId}`;
    expect([...memberships]).toEqual([{ organizationId: id, role: 'member' }]);
  });

  test('is counted by the address of the client, also for who is signed in', async () => {
    const headers = from();
    const people = await Promise.all(times(2, () => h.user()));
    const replies = await Promise.all(
      times(20, (n) => (people[n % 2] ?? h.anonymous).post('user.register', {}, headers)),
    );
    expect(replies.map(({ status }) => status)).toEqual(times(20, () => 400));
    const late = await register({}, { headers });
    expect([late.status, late.body.data.reason]).toEqual([429, 'rate_limited']);
    expect(Number(late.headers.get('retry-after'))).toBeGreaterThan(0);
    expect((await register()).status).toBe(200);
  });
});

describe.each(WAYS)('$way', ({ send }) => {
  /** What is refused leaves no account and costs no password hash. */
  async function expectRefused(input: Input, expected: unknown[]): Promise<Reply> {
    const email = (input.email as string | undefined) ?? newAddress();
    const before = await accountOf(email);
    const hash = vi.spyOn(h.app.deps.passwords, 'hash');
    try {
      const reply = await send({ ...input, email });
      expect(refusal(reply), reply.text).toEqual(expected);
      expect(hash).not.toHaveBeenCalled();
      expect(await accountOf(email)).toEqual(before);
      return reply;
    } finally {
      hash.mockRestore();
    }
  }
  async function expectTaken(input: Input): Promise<void> {
    const reply = await send(input);
    expect(reply.status, reply.text).toBe(200);
  }

  test('keeps the date of birth and the country', async () => {
    const email = newAddress();
    await expectTaken({ email, dateOfBirth: '1996-02-29', billingCountry: 'GB' });
    const [row] = await h.sql`
      select date_of_birth::text as day, billing_country from users where email = ${email}`;
    expect(row).toEqual({ day: '1996-02-29', billingCountry: 'GB' });
  });

  test('is 503 while registration is off, and says nothing more to anybody', async () => {
    const { id, owner } = await h.organization();
    const { email } = await invite(owner, id);
    const invitationToken = await tokenFor(h, email);
    await setRules({ registration: false });
    const off = [503, 'registration_off', undefined];
    const { headers } = await expectRefused({}, off);
    expect(headers.get('retry-after')).toBeNull();
    await expectRefused({ email: owner.email }, off);
    await expectRefused({ password: 'weak' }, off);
    await expectRefused({ email, invitationToken }, off);
    await setRules({ registration: true });
    await expectTaken({ email, invitationToken });
  });

  test('refuses throw-away addresses where that is wanted', async () => {
    await expectTaken({ email: `a${newAddress()}`.replace('example.org', 'mailinator.com') });
    await setRules({ refuseDisposableEmail: true });
    const expected = [400, 'disposable_email', 'email'];
    await expectRefused({ email: 'ada@mailinator.com' }, expected);
    await expectRefused({ email: 'ada@sub.mailinator.com' }, expected);
    const moved = await (await h.user()).post('user.update', {
      email: 'ada@mailinator.com',
      currentPassword: PASSWORD,
    });
    expect([moved.status, moved.body.data.reason, moved.body.issues[0].path[0]]).toEqual(expected);
    await expectTaken({});
  });

  test('refuses a closed country, and no other that begins alike', async () => {
    await setRules({ countryLevels: { IR: 'closed' } });
    await expectRefused({ billingCountry: 'IR' }, [403, 'country_closed', undefined]);
    await expectTaken({ billingCountry: 'IE' });
    await expectTaken({ billingCountry: 'IT' });
    await expectRefused({}, [400, 'country_required', 'billingCountry']); // leaving it out dodges nothing
  });

  test('takes open countries only where all others are closed', async () => {
    await setRules({ defaultCountryLevel: 'closed', countryLevels: { IE: 'open' } });
    await expectTaken({ billingCountry: 'IE' });
    await expectRefused({ billingCountry: 'IR' }, [403, 'country_closed', undefined]);
    await expectRefused({}, [400, 'country_required', 'billingCountry']);
  });

  test('refuses who is too young by the rule of the country', async () => {
    const tooYoung = [400, 'too_young', 'dateOfBirth'];
    await expectTaken({ dateOfBirth: '2018-05-15' });
    const { body } = await expectRefused({ dateOfBirth: '2018-05-16' }, tooYoung);
    expect(body.message).toMatch(/from the age of 13\.$/);
    await expectTaken({ dateOfBirth: '2018-05-15', billingCountry: 'US' });
    await expectRefused({ dateOfBirth: '2018-05-15', billingCountry: 'IE' }, tooYoung);
    await expectRefused({ dateOfBirth: '2018-05-15', billingCountry: 'GB' }, tooYoung);
    await expectTaken({ dateOfBirth: '2017-05-15', billingCountry: 'IE' });
  });

  test("a country's own minimum age is asked for there, and gives other countries no rule", async () => {
    await setRules({ minimumAges: { IR: 18 } });
    const inIran = { billingCountry: 'IR' };
    await expectRefused({ ...inIran, dateOfBirth: '2013-05-16' }, [400, 'too_young', 'dateOfBirth']);
    await expectRefused(inIran, [400, 'date_of_birth_required', 'dateOfBirth']);
    await expectRefused({}, [400, 'country_required', 'billingCountry']);
    await expectTaken({ ...inIran, dateOfBirth: '2013-05-15' });
    await expectTaken({ billingCountry: 'IE', dateOfBirth: '2017-05-15' });
    await expectTaken({ billingCountry: 'IE' });
  });

  test('asks everybody for the date of birth where that is wanted', async () => {
    await setRules({ requireDateOfBirth: true });
    await expectRefused({ billingCountry: 'IE' }, [400, 'date_of_birth_required', 'dateOfBirth']);
    await expectTaken({ billingCountry: 'IE', dateOfBirth: '1990-01-01' });
  });

  test.each(['2023-02-30', '2023-02-29', '1990-1-1', '19900101', '1990-01-01T00:00:00Z', '', 'x', 0, null])(
    'refuses %j as a date of birth',
    async (dateOfBirth) => {
      await expectRefused({ dateOfBirth }, [400, 'invalid_input', 'dateOfBirth']);
    },
  );
  test.each(['2031-05-16', '9999-12-31', '1899-12-31', '0000-01-01'])(
    'refuses %s as one',
    async (dateOfBirth) => {
      await expectRefused({ dateOfBirth }, [400, 'invalid_date_of_birth', 'dateOfBirth']);
    },
  );

  test.each(['ie', 'IRL', 'UK', 'ZZ', 'Ireland', '', 'constructor', null])(
    'refuses %j as a country',
    async (billingCountry) => {
      await expectRefused({ billingCountry }, [400, 'invalid_input', 'billingCountry']);
    },
  );

  test('refuses a weak password and an address that has an account', async () => {
    await expectRefused({ password: 'correct-horse-1' }, [400, 'weak_password', 'password']);
    const { email } = await h.user();
    await expectRefused({ email }, [409, 'email_taken', 'email']);
  });

  test('lets a person in at most once when many try with one address', async () => {
    const email = newAddress();
    const replies = await Promise.all(times(5, () => send({ email })));
    expect(replies.map(({ status }) => status).sort()).toEqual([200, 409, 409, 409, 409]);
  });
});

describe('the rules do not bind', () => {
  const CLOSED = { registration: false, refuseDisposableEmail: true, defaultCountryLevel: 'closed' };
  const close = (at: Harness) =>
    at.sql`insert into settings (value, updated_at) values (${at.sql.json(CLOSED)}, now())`;

  test.each(WAYS)('the first account, by $way', async ({ send }) => {
    await using empty = await createHarness(BEHIND_PROXY);
    await close(empty);
    const { status } = await send({ email: 'ada@mailinator.com' }, { at: empty });
    expect(status).toBe(200);
    expect(await empty.sql`select role from users`).toMatchObject([{ role: 'rootAdmin' }]);
    expect((await send({}, { at: empty })).status).toBe(503);
  });

  test('that one alone: of 3 children who register at once on an empty installation, one', async () => {
    await using empty = await createHarness(BEHIND_PROXY);
    empty.clock.advance(TODAY - Date.now());
    const { started } = await empty.sql.begin(async (tx) => {
      await tx`lock table users in exclusive mode`; // lets them read that there are no users
      const replies = Promise.all(times(3, () => register({ dateOfBirth: '2021-01-01' }, { at: empty })));
      await untilBlocked(empty, 3);
      return { started: replies };
    });
    const refusals = (await started).map(refusal).filter(([status]) => status !== 200);
    expect(refusals).toEqual(times(2, () => [400, 'too_young', 'dateOfBirth']));
    expect(await empty.sql`select role from users`).toMatchObject([{ role: 'rootAdmin' }]);
  });

  test('the operator', async () => {
    await using empty = await createHarness();
    await close(empty);
    const account = { password: PASSWORD, name: 'Ada', emailVerified: true, byOperator: true };
    expect(await ensureRootAdmin(empty.app.deps, { email: 'root@mailinator.com', password: PASSWORD })).toBe(
      true,
    );
    const made = registerAccount(empty.app.deps, NOWHERE, { ...account, email: 'ada@mailinator.com' });
    expect(await made).toMatchObject({ platformRole: 'user' });
  });
});
