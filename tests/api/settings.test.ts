import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { createHarness, type Harness, statuses, type TestUser } from '../support/harness.ts';
import { untilBlocked } from './stage.ts';

let h: Harness;
let root: TestUser;
beforeAll(async () => {
  h = await createHarness();
  root = await h.user();
});
afterAll(() => h[Symbol.asyncDispose]());
afterEach(() => h.sql`delete from settings`);

const get = async () => (await h.anonymous.get('settings.get')).body;
async function update(changes: Record<string, unknown>) {
  const { status, body, text } = await root.post('settings.update', changes);
  expect(status, text).toBe(200);
  return body;
}

const DEFAULTS = {
  registration: true,
  refuseDisposableEmail: false,
  requireDateOfBirth: false,
  defaultCountryLevel: 'open',
  countryLevels: {},
  minimumAge: 13,
  minimumAges: {},
  adultAges: {},
  dns: true,
  tunnels: true,
  countryRequired: false,
};

describe('reading the rules', () => {
  test('is for everybody, and tells what is built in', async () => {
    expect(await get()).toMatchObject(DEFAULTS);
    const { builtIn } = await get();
    expect(builtIn.adultAge).toBe(18);
    expect(builtIn.adultAges).toEqual({ CA: 19, TH: 20, TW: 20, AE: 21, BH: 21, OM: 21 });
    expect(builtIn.minimumAges).toMatchObject({ IE: 14, GB: 14 });
    expect(Object.keys(builtIn.minimumAges)).toHaveLength(28);
  });

  test('tells what another process has just written, and the default of what it did not know', async () => {
    await get();
    await h.sql`insert into settings (value, updated_at) values ('{"minimumAge": 16}', now())`;
    expect(await get()).toMatchObject({ ...DEFAULTS, minimumAge: 16 });
  });
});

describe('changing the rules', () => {
  test('is for platform administrators', async () => {
    const person = await h.user();
    const as = async (role: string) => {
      await h.sql`update users set role = ${role} where id = ${person.id}`;
      return (await person.post('settings.update', { dns: false })).status;
    };
    expect([await as('user'), await as('staff'), await as('admin')]).toEqual([403, 403, 200]);
    expect((await get()).dns).toBe(false);
  });

  test('keeps what is left out', async () => {
    await update({ registration: false, minimumAge: 16, countryLevels: { IR: 'closed' } });
    const after = await update({ tunnels: false, defaultCountryLevel: 'open' });
    expect(after).toMatchObject({
      ...DEFAULTS,
      registration: false,
      minimumAge: 16,
      countryLevels: { IR: 'closed' },
      tunnels: false,
      countryRequired: true,
    });
    expect(await get()).toEqual(after);
    expect(await update({})).toEqual(after);
    const [row] = await h.sql`select value from settings`;
    expect(Object.keys(row?.value)).not.toContain('dns'); // follows the default, also of a later version
  });

  test('in a map touches the named countries, and null takes an override away', async () => {
    await update({ minimumAges: { KR: 14, IE: 16 }, adultAges: { CA: 18 } });
    const after = await update({ minimumAges: { IE: null, US: 15, DE: null } });
    expect(after.minimumAges).toEqual({ KR: 14, US: 15 });
    expect(after.adultAges).toEqual({ CA: 18 });
  });

  test('takes an override for every country at once', async () => {
    const { getAlpha2Codes } = await import('i18n-iso-countries/index.js');
    const all = Object.fromEntries(Object.keys(getAlpha2Codes()).map((code) => [code, 15]));
    expect((await update({ minimumAges: all })).minimumAges).toEqual(all);
  });

  test.each([
    ['countryLevels', { ie: 'closed' }, ['countryLevels', 'ie']],
    ['countryLevels', { IRL: 'closed' }, ['countryLevels', 'IRL']],
    ['countryLevels', { UK: 'closed' }, ['countryLevels', 'UK']],
    ['countryLevels', { '': 'closed' }, ['countryLevels', '']],
    ['countryLevels', { constructor: 'closed' }, ['countryLevels', 'constructor']],
    ['countryLevels', { IR: 'shut' }, ['countryLevels', 'IR']],
    ['countryLevels', ['IR'], ['countryLevels']],
    ['countryLevels', null, ['countryLevels']],
    ['minimumAges', { IE: 14.5 }, ['minimumAges', 'IE']],
    ['minimumAges', { IE: -1 }, ['minimumAges', 'IE']],
    ['minimumAges', { IE: '14' }, ['minimumAges', 'IE']],
    ['adultAges', { IE: 151 }, ['adultAges', 'IE']],
    ['minimumAge', null, ['minimumAge']],
    ['minimumAge', 151, ['minimumAge']],
    ['registration', 'false', ['registration']],
    ['defaultCountryLevel', 'IE', ['defaultCountryLevel']],
  ])('refuses %s: %j', async (name, value, path) => {
    const { status, body } = await root.post('settings.update', { dns: false, [name]: value });
    expect([status, body.data.reason, body.issues[0].path]).toEqual([400, 'invalid_input', path]);
    expect(await get()).toMatchObject(DEFAULTS);
  });

  test('says how a country is written', async () => {
    const { body } = await root.post('settings.update', { adultAges: { Ireland: 18 } });
    expect(body.message).toMatch(/^Invalid input: adultAges\.Ireland: .* such as IE\.$/);
  });

  test('leaves the named rules before and after in the trail', async () => {
    await update({ minimumAges: { KR: 14 } });
    await update({ registration: false, minimumAges: { IE: 16 } });
    const rows = await h.sql`
      select * from audit_log where resource_type = 'settings' order by id desc limit 1`;
    expect(rows).toMatchObject([
      { userId: root.id, userRole: 'rootAdmin', organizationId: null, action: 'update' },
    ]);
    expect(rows[0]?.before).toEqual({ registration: true, minimumAges: { KR: 14 } });
    expect(rows[0]?.after).toEqual({ registration: false, minimumAges: { KR: 14, IE: 16 } });
  });
});

describe('changes at once', () => {
  const CHANGES = [
    { registration: false },
    { dns: false },
    { minimumAges: { KR: 14 } },
    { minimumAges: { US: 15 } },
    { countryLevels: { IR: 'closed' } },
  ];
  const ALL = {
    registration: false,
    dns: false,
    minimumAges: { KR: 14, US: 15 },
    countryLevels: { IR: 'closed' },
  };

  /** Sends all changes while `hold` holds something that each of them needs, and lets go once all of them wait. */
  async function race(hold: (tx: Harness['sql']) => Promise<unknown>) {
    const { started } = await h.sql.begin(async (tx) => {
      await hold(tx as unknown as Harness['sql']);
      const replies = Promise.all(CHANGES.map((changes) => root.post('settings.update', changes)));
      await untilBlocked(h, CHANGES.length);
      return { started: replies };
    });
    expect(statuses(await started)).toEqual(CHANGES.map(() => 200));
    expect(await get()).toMatchObject(ALL);
  }

  test('are all kept when they are the first ones', () =>
    race((tx) => tx`lock table settings in exclusive mode`));

  test('are all kept when there were others before', async () => {
    await update({ tunnels: false });
    await race((tx) => tx`select 1 from settings for update`);
    expect((await get()).tunnels).toBe(false);
  });
});
