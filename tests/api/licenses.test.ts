import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import {
  type Body,
  createHarness,
  type Harness,
  type TestUser,
  times,
  UNLIMITED,
} from '../support/harness.ts';
import { newDeploymentOf, newLicenseOf } from './stage.ts';

/* A license is the only source of a tier, and serves one organization at a time. */

let h: Harness;
let root: TestUser;
let owner: TestUser;
let organizationId: string;
beforeAll(async () => {
  h = await createHarness({ MAX_ORGANIZATIONS_PER_USER: '1000' }, { rateLimiter: UNLIMITED });
  root = await h.user();
});
afterAll(() => h[Symbol.asyncDispose]());
beforeEach(async () => {
  owner = await h.user();
  organizationId = (await h.organization(owner)).id;
});

const DAY_MS = 86_400_000;
const inDays = (days: number) => new Date(h.app.deps.now().getTime() + days * DAY_MS).toISOString();
const create = async (input: object = {}): Promise<Body> =>
  (await root.post('license.create', { plan: 'paid', ...input })).body;
const assign = (licenseId: string, to = organizationId) =>
  root.post('organization.assignLicense', { organizationId: to, licenseId });

/** Everything that shows a tier must show the same one. */
async function tierShown(): Promise<[string, number | null]> {
  const one = (await owner.get('organization.one', { organizationId })).body;
  const all = (await owner.get('organization.all')).body.find(({ id }: Body) => id === organizationId);
  const count = (await owner.get('server.count', { organizationId })).body;
  const me = (await owner.get('user.me')).body;
  const byStaff = (await root.get('user.one', { userId: owner.id })).body;
  const updated = (await owner.post('organization.update', { organizationId, name: 'Acme' })).body;
  const tiers = [one, all, count, me, byStaff, updated].map(({ portalTier }) => portalTier);
  const limits = [one, all, count, me.limits, byStaff.limits, updated].map(({ maxServers }) => maxServers);
  expect(new Set(tiers).size, tiers.join()).toBe(1);
  expect(new Set(limits).size, limits.join()).toBe(1);
  return [tiers[0], limits[0]];
}

test('the tiers are published', async () => {
  const { body } = await h.anonymous.get('portal.tiers');
  expect(body.map(({ tier, name, maxServers }: Body) => [tier, name, maxServers])).toEqual([
    ['free', 'Free Portal', 2],
    ['paid', 'Pro Portal', 10],
    ['educational', 'Educational Portal', 3],
    ['enterprise', 'Enterprise Portal', null],
  ]);
});

describe('the tier follows the license', () => {
  test.each([
    ['paid', 10],
    ['educational', 3],
    ['enterprise', null],
    ['free', 2],
  ])('%s: %s servers', async (plan, maxServers) => {
    expect(await tierShown()).toEqual(['free', 2]);
    await assign((await create({ plan })).id);
    expect(await tierShown()).toEqual([plan, maxServers]);
  });

  test('through its whole life: changed, switched off and on, expired by the clock, renewed, taken back', async () => {
    const { id: licenseId } = await create({ expiresAt: inDays(1) });
    const update = (changes: object) => root.post('license.update', { licenseId, ...changes });
    await assign(licenseId);
    expect(await tierShown()).toEqual(['paid', 10]);
    await update({ plan: 'enterprise' });
    expect(await tierShown()).toEqual(['enterprise', null]);
    await update({ active: false });
    expect(await tierShown()).toEqual(['free', 2]);
    await update({ active: true, plan: 'educational' });
    expect(await tierShown()).toEqual(['educational', 3]);
    h.clock.advance(DAY_MS);
    expect(await tierShown()).toEqual(['free', 2]);
    await update({ expiresAt: null });
    expect(await tierShown()).toEqual(['educational', 3]);
    await root.post('organization.unassignLicense', { organizationId });
    expect(await tierShown()).toEqual(['free', 2]);
  });

  test('an account has the best tier of the organizations that it owns', async () => {
    const second = await h.organization(owner);
    const foreign = await h.organization();
    await newLicenseOf(h, second.id, 'educational');
    await newLicenseOf(h, foreign.id, 'enterprise');
    await foreign.owner.post('organization.transferOwnership', { organizationId: foreign.id });
    expect((await owner.get('user.me')).body.portalTier).toBe('educational');
    await newLicenseOf(h, organizationId, 'paid');
    expect((await owner.get('user.me')).body).toMatchObject({
      portalTier: 'paid',
      limits: { maxServers: 10 },
    });
  });
});

describe('assigning', () => {
  test('replaces the license so far, which is free again', async () => {
    const [first, second] = [await create(), await create({ plan: 'educational' })];
    await assign(first.id);
    expect((await assign(second.id)).body).toMatchObject({ id: second.id, organizationId });
    expect((await root.get('license.one', { licenseId: first.id })).body.organizationId).toBeNull();
    expect((await owner.get('organization.license', { organizationId })).body).toMatchObject({
      id: second.id,
      plan: 'educational',
      valid: true,
    });
    expect((await assign(second.id)).status).toBe(200);
    expect(await tierShown()).toEqual(['educational', 3]);
  });

  test('a license that serves another organization is refused', async () => {
    const { id } = await create();
    const other = await h.organization();
    await assign(id, other.id);
    const { status, body } = await assign(id);
    expect([status, body.data.reason]).toEqual([409, 'license_assigned']);
    await root.post('organization.unassignLicense', { organizationId: other.id });
    expect((await assign(id)).status).toBe(200);
  });

  test('one license to many organizations at once serves one', async () => {
    const { id } = await create();
    const organizations = await Promise.all(times(8, () => h.organization(owner)));
    const replies = await Promise.all(organizations.map((organization) => assign(id, organization.id)));
    expect(replies.map(({ status }) => status).sort()).toEqual([200, ...times(7, () => 409)]);
    expect(await h.sql`select 1 from licenses where id = ${id} and organization_id is not null`).toHaveLength(
      1,
    );
  });

  test('many licenses to one organization at once leave one', async () => {
    const licenses = await Promise.all(times(8, () => create()));
    const replies = await h.race(
      organizationId,
      licenses.map(
        ({ id }) =>
          () =>
            assign(id),
      ),
    );
    expect(replies.map(({ status }) => status)).toEqual(times(8, () => 200));
    expect(await h.sql`select 1 from licenses where organization_id = ${organizationId}`).toHaveLength(1);
  });

  test('what there is not is not found', async () => {
    const { id } = await create();
    const missing = '019a9c1e-5b7a-7cc3-9d2e-0f4a8b6c1d20';
    expect((await assign(missing)).body.message).toBe('License not found.');
    expect((await assign(id, missing)).body.message).toBe('Organization not found.');
    expect((await root.post('organization.unassignLicense', { organizationId })).status).toBe(404);
    expect((await owner.get('organization.license', { organizationId })).body).toBeNull();
  });

  test('is told to the organization in its trail', async () => {
    const { id } = await create();
    await assign(id);
    const { body } = await owner.get('auditLog.all', { organizationId, resourceType: 'license' });
    expect(body).toMatchObject([
      { action: 'assign', userId: root.id, userRole: 'rootAdmin', after: { licenseId: id, plan: 'paid' } },
    ]);
  });
});

describe('the key', () => {
  test('is shown to who manages licenses, and to no member', async () => {
    const { id, key } = await create();
    expect(key).toMatch(/^license_[\w-]{43}$/);
    expect((await root.get('license.one', { licenseId: id })).body.key).toBe(key);
    await assign(id);
    const texts = [
      (await owner.get('organization.license', { organizationId })).text,
      (await root.get('license.all')).text,
      JSON.stringify(await h.sql`select * from licenses`),
    ];
    for (const text of texts) {
      expect(text).toContain(id);
      expect(text).not.toContain(key);
    }
  });

  test('is validated by anybody', async () => {
    const { id: licenseId, key } = await create({ expiresAt: inDays(1) });
    const verdict = async (text = key) => (await h.anonymous.get('license.validate', { key: text })).body;
    expect(await verdict()).toMatchObject({ valid: true, reason: null, plan: 'paid' });
    expect(await verdict('license_x')).toEqual({
      valid: false,
      reason: 'unknown',
      plan: null,
      expiresAt: null,
    });
    await root.post('license.update', { licenseId, active: false });
    expect(await verdict()).toMatchObject({ valid: false, reason: 'inactive' });
    await root.post('license.update', { licenseId, active: true });
    h.clock.advance(DAY_MS);
    expect(await verdict()).toMatchObject({ valid: false, reason: 'expired' });
  });

  test('of another secret of the server is not made up', async () => {
    const { id } = await newLicenseOf(h);
    expect((await root.get('license.one', { licenseId: id })).body.key).toBeNull();
  });
});

test('a license in use cannot be deleted', async () => {
  const { id: licenseId } = await create();
  await assign(licenseId);
  const remove = async () => {
    const { status, body } = await root.post('license.delete', { licenseId });
    return [status, body.data?.reason];
  };
  expect(await remove()).toEqual([412, 'license_assigned']);
  await root.post('organization.unassignLicense', { organizationId });
  const { id: deploymentId } = await newDeploymentOf(h, organizationId);
  await h.sql`update deployments set license_id = ${licenseId} where id = ${deploymentId}`;
  expect(await remove()).toEqual([412, 'license_has_deployments']);
  await h.sql`update deployments set status = 'destroyed' where id = ${deploymentId}`;
  expect(await remove()).toEqual([200, undefined]);
});

test('licenses are listed page by page, by plan and by organization', async () => {
  const made = [await create({ plan: 'educational' }), await create({ plan: 'educational' })];
  await assign(made[0].id);
  const first = (await root.get('license.all', { plan: 'educational', limit: 1 })).body;
  expect(first.nextCursor).toBe(first.items[0].id);
  const { items } = (await root.get('license.all', { plan: 'educational' })).body;
  expect(items.map(({ id }: Body) => id)).toEqual(expect.arrayContaining(made.map(({ id }) => id)));
  expect((await root.get('license.all', { organizationId })).body.items).toMatchObject([{ id: made[0].id }]);
});

test('an update that is based on an older state is refused', async () => {
  const { id: licenseId } = await create();
  const { headers } = await root.get('license.one', { licenseId });
  const ifMatch = { 'if-match': headers.get('etag') ?? '' };
  expect((await root.post('license.update', { licenseId, plan: 'enterprise' }, ifMatch)).status).toBe(200);
  expect((await root.post('license.update', { licenseId, plan: 'free' }, ifMatch)).status).toBe(412);
});

test.each([
  { plan: 'gold' },
  { expiresAt: 'tomorrow' },
  { expiresAt: '0000-01-01T00:00:00Z' },
  { active: 'false' },
])('a license of %j is refused', async (input) =>
  expect((await root.post('license.create', { plan: 'paid', ...input })).status).toBe(400),
);
