import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import {
  type Body,
  createHarness,
  type Harness,
  type TestUser,
  times,
  UNLIMITED,
} from '../support/harness.ts';
import { newLicenseOf } from './stage.ts';

/* Deployments come under the license of the organization that makes them. */

let h: Harness;
let root: TestUser;
let owner: TestUser;
let organizationId: string;
let license: { id: string; key: string };
beforeAll(async () => {
  h = await createHarness(
    { MAX_ORGANIZATIONS_PER_USER: '1000', DNS_NAMESERVERS: 'ns1.dns.platform.test' },
    { rateLimiter: UNLIMITED },
  );
  root = await h.user();
  owner = await h.user();
});
afterAll(() => h[Symbol.asyncDispose]());
beforeEach(async () => {
  organizationId = (await h.organization(owner)).id;
  license = await newLicenseOf(h, organizationId);
});

let names = 0;
const create = (input: object = {}, to = organizationId) =>
  owner.post('deployment.create', {
    organizationId: to,
    name: 'Learn',
    subdomain: `learn-${++names}`,
    baseDomain: 'example.net',
    componentType: 'api',
    ...input,
  });
const made = async (input: object = {}): Promise<Body> => (await create(input)).body;
const report = (deploymentId: string, change: object = {}) =>
  h.anonymous.post('deployment.report', { deploymentId, key: license.key, health: 'healthy', ...change });
const listed = async (query: Record<string, boolean> = {}): Promise<string[]> =>
  (await owner.get('organization.deployments', { organizationId, ...query })).body.items.map(
    ({ id }: Body) => id,
  );
const outcome = ({ status, body }: Body) => [status, body.data?.reason];

test('a whole life: pending, running by its first report, stopped, destroyed', async () => {
  const { id: deploymentId, ...deployment } = await made({ version: '1.0.0' });
  expect(deployment).toMatchObject({
    licenseId: license.id,
    organizationId,
    status: 'pending',
    health: 'unknown',
    hostingType: 'hosted',
    parentDeploymentId: null,
    reportedAt: null,
  });
  expect((await report(deploymentId)).body).toEqual({ status: 'running', licenseValid: true });
  await report(deploymentId, { health: 'unhealthy', version: '1.0.1' });
  const read = async () => (await root.get('deployment.all', { organizationId })).body.items[0];
  expect(await read()).toMatchObject({ status: 'running', health: 'unhealthy', version: '1.0.1' });
  expect(outcome(await owner.post('deployment.destroy', { deploymentId }))).toEqual([
    412,
    'deployment_not_stopped',
  ]);
  expect((await owner.post('deployment.stop', { deploymentId })).body.status).toBe('stopped');
  expect(outcome(await owner.post('deployment.stop', { deploymentId }))).toEqual([412, 'deployment_stopped']);
  expect((await report(deploymentId)).body.status).toBe('stopped');
  expect(await listed()).toEqual([deploymentId]);
  expect(await listed({ activeOnly: true })).toEqual([]);
  expect((await owner.post('deployment.destroy', { deploymentId })).body.status).toBe('destroyed');
  expect((await report(deploymentId)).status).toBe(404);
  for (const again of ['deployment.stop', 'deployment.destroy']) {
    expect(outcome(await owner.post(again, { deploymentId }))).toEqual([412, 'deployment_destroyed']);
  }
});

test('a report needs the key of the license, and tells when that is in force no more', async () => {
  const { id } = await made();
  const other = await newLicenseOf(h);
  expect((await report(id, { key: other.key })).status).toBe(404);
  await h.sql`update licenses set active = false where id = ${license.id}`;
  expect((await report(id)).body).toEqual({ status: 'running', licenseValid: false });
});

test('a report tells that the license does not serve the organization any more, whoever else it serves', async () => {
  const { id } = await made();
  await root.post('organization.unassignLicense', { organizationId });
  expect((await report(id)).body.licenseValid).toBe(false);
  const another = await h.organization(owner);
  const assign = (to: string) =>
    root.post('organization.assignLicense', { organizationId: to, licenseId: license.id });
  expect((await assign(another.id)).status).toBe(200);
  expect((await report(id)).body.licenseValid).toBe(false);
  await root.post('organization.unassignLicense', { organizationId: another.id });
  await assign(organizationId);
  expect((await report(id)).body.licenseValid).toBe(true);
});

describe('the license', () => {
  test('has to be in force', async () => {
    await h.sql`update licenses set expires_at = now() where id = ${license.id}`;
    expect(outcome(await create())).toEqual([412, 'license_required']);
    await h.sql`update licenses set organization_id = null where id = ${license.id}`;
    expect(outcome(await create())).toEqual([412, 'license_required']);
  });

  test('is what they are seen through', async () => {
    const { id } = await made();
    expect(await listed()).toEqual([id]);
    await root.post('organization.unassignLicense', { organizationId });
    expect(await listed()).toEqual([]);
    const another = await h.organization(owner);
    await root.post('organization.assignLicense', { organizationId: another.id, licenseId: license.id });
    const seen = await owner.get('organization.deployments', { organizationId: another.id });
    expect(seen.body).toEqual({ items: [], nextCursor: null });
    const next = await newLicenseOf(h);
    await root.post('organization.assignLicense', { organizationId, licenseId: next.id });
    expect(await listed()).toEqual([id]);
    expect((await report(id, { key: next.key })).status).toBe(200);
    expect((await report(id)).status).toBe(404);
  });
});

describe('the parent', () => {
  test.each([
    [{ componentType: 'client' }, 400, 'parent_required'],
    [{ componentType: 'client', parentDeploymentId: null }, 400, 'parent_required'],
  ])('%j: %i %s', async (input, status, reason) => {
    expect(outcome(await create(input))).toEqual([status, reason]);
  });

  test('is an API of the organization that lives', async () => {
    const api = await made();
    const client = await made({ componentType: 'client', parentDeploymentId: api.id });
    expect(client.parentDeploymentId).toBe(api.id);
    const under = async (parentDeploymentId: string, componentType = 'client') =>
      outcome(await create({ componentType, parentDeploymentId }));
    expect(await under(client.id)).toEqual([400, 'parent_not_api']);
    expect(await under(api.id, 'api')).toEqual([400, 'parent_not_allowed']);
    const foreign = await h.organization();
    await newLicenseOf(h, foreign.id);
    const { body } = await foreign.owner.post('deployment.create', {
      organizationId: foreign.id,
      name: 'Theirs',
      subdomain: 'theirs',
      baseDomain: 'example.net',
      componentType: 'api',
    });
    expect(await under(body.id)).toEqual([404, 'deployment_not_found']);
    await owner.post('deployment.stop', { deploymentId: api.id });
    const destroy = async (deploymentId: string) =>
      outcome(await owner.post('deployment.destroy', { deploymentId }));
    expect(await destroy(api.id)).toEqual([412, 'deployment_has_clients']);
    await owner.post('deployment.stop', { deploymentId: client.id });
    expect(await destroy(client.id)).toEqual([200, undefined]);
    expect(await destroy(api.id)).toEqual([200, undefined]);
    expect(await under(api.id)).toEqual([412, 'parent_destroyed']);
  });
});

describe('the address', () => {
  test('is had once, and free again when it is destroyed', async () => {
    const address = { subdomain: 'Once', baseDomain: 'Example.NET' };
    const { id: deploymentId, ...deployment } = await made(address);
    expect(deployment).toMatchObject({ subdomain: 'once', baseDomain: 'example.net' });
    expect(outcome(await create(address))).toEqual([409, 'address_taken']);
    await owner.post('deployment.stop', { deploymentId });
    await owner.post('deployment.destroy', { deploymentId });
    expect((await create(address)).status).toBe(200);
  });

  test('of many at once is had once', async () => {
    const [one, other] = [await h.organization(owner), await h.organization(owner)];
    for (const { id } of [one, other]) await newLicenseOf(h, id);
    const address = { subdomain: 'at-once', baseDomain: 'example.net' };
    const replies = await Promise.all(
      times(10, (index) => create(address, index % 2 === 0 ? one.id : other.id)),
    );
    expect(replies.map(({ status }) => status).sort()).toEqual([200, ...times(9, () => 409)]);
  });

  test('is not within the handle of another organization, but within one’s own', async () => {
    const stranger = await h.user();
    await stranger.post('organization.create', { name: 'Theirs', handle: 'theirs.example.org' });
    await owner.post('organization.create', { name: 'Ours', handle: 'ours.example.org' });
    const own = (await owner.get('organization.all')).body.find(
      ({ handle }: Body) => handle === 'ours.example.org',
    );
    await newLicenseOf(h, own.id);
    const at = async (subdomain: string, baseDomain: string) =>
      outcome(await create({ subdomain, baseDomain }, own.id));
    expect(await at('learn', 'theirs.example.org')).toEqual([409, 'address_taken']);
    expect(await at('theirs', 'example.org')).toEqual([409, 'address_taken']);
    expect(await at('learn', 'ours.example.org')).toEqual([200, undefined]);
  });

  test('is not within the verified zone of another organization, but within one’s own', async () => {
    const { id, owner: stranger } = await h.organization();
    await stranger.post('dnsZone.create', { organizationId: id, name: 'theirs.example.net' });
    await owner.post('dnsZone.create', { organizationId, name: 'ours.example.net' });
    const at = async (subdomain: string, baseDomain: string) =>
      outcome(await create({ subdomain, baseDomain }));
    expect(await at('unverified', 'theirs.example.net')).toEqual([200, undefined]);
    await h.sql`update dns_zones set verified_at = now() where name in ('theirs.example.net', 'ours.example.net')`;
    expect(await at('www', 'theirs.example.net')).toEqual([409, 'address_taken']);
    expect(await at('theirs', 'example.net')).toEqual([409, 'address_taken']);
    expect(await at('www', 'ours.example.net')).toEqual([200, undefined]);
  });

  test('inside the base domain, where names are served at once, is not taken over by whoever claims it', async () => {
    const { id: deploymentId } = await made({ subdomain: 'shop', baseDomain: 'tenantry.internal' });
    await made({ subdomain: 'learn', baseDomain: 'deep.tenantry.internal' });
    const { id, owner: stranger } = await h.organization();
    const zone = (name: string, by = stranger, inside = id) =>
      by.post('dnsZone.create', { organizationId: inside, name });
    for (const name of ['shop', 'deep']) {
      const claimed = await stranger.post('organization.create', { name: 'Theirs', handle: name });
      expect(outcome(claimed)).toEqual([409, 'handle_taken']);
      const { body } = await stranger.get('organization.checkHandle', { handle: name });
      expect(body).toEqual({ available: false, reason: 'handle_taken' });
      expect(outcome(await zone(`${name}.tenantry.internal`))).toEqual([409, 'dns_zone_taken']);
    }
    expect(outcome(await zone('deepest.tenantry.internal'))).toEqual([200, undefined]);
    expect(outcome(await zone('deep.tenantry.internal', owner, organizationId))).toEqual([200, undefined]);
    await owner.post('deployment.stop', { deploymentId });
    await owner.post('deployment.destroy', { deploymentId });
    expect(outcome(await zone('shop.tenantry.internal'))).toEqual([200, undefined]);
  });

  test('and the handle of another organization are had by one of them, when both come at once', async () => {
    const stranger = await h.user();
    for (const name of times(8, (n) => `race${n}`)) {
      const replies = await Promise.all([
        create({ subdomain: name, baseDomain: 'tenantry.internal' }),
        stranger.post('organization.create', { name: 'Theirs', handle: name }),
      ]);
      expect(replies.map(({ status }) => status).sort()).toEqual([200, 409]);
    }
  });

  test.each([
    ['www', 'tenantry.internal'],
    ['api', 'tenantry.internal'],
    ['learn', 'api.tenantry.internal'],
    ['ns1', 'dns.platform.test'],
    ['dns', 'platform.test'],
  ])('%s.%s is the platform’s own', async (subdomain, baseDomain) => {
    expect(outcome(await create({ subdomain, baseDomain }))).toEqual([400, 'address_reserved']);
  });

  test('can have a name that is reserved elsewhere', async () => {
    expect((await create({ subdomain: 'api', baseDomain: 'customer.example' })).status).toBe(200);
    const { body } = await owner.get('organization.one', { organizationId });
    expect((await create({ subdomain: 'www', baseDomain: body.handle })).status).toBe(200);
  });

  test.each([
    { subdomain: 'a.b' },
    { subdomain: '-a' },
    { subdomain: '' },
    { subdomain: 'x'.repeat(64) },
    { baseDomain: 'localhost' },
    { baseDomain: 'a..b' },
    { baseDomain: 'example.net/' },
    { baseDomain: `${'a.'.repeat(100)}net` },
    { componentType: 'worker' },
    { hostingType: 'cloud' },
  ])('%j is refused', async (input) => {
    expect(outcome(await create(input))).toEqual([400, 'invalid_input']);
  });
});

test('members read, and who may change them are owners and admins', async () => {
  const team = await h.organization();
  const [admin, member] = [await team.join('admin'), await team.join('member')];
  const { key } = await newLicenseOf(h, team.id);
  expect(key).toMatch(/^license_/);
  const input = { name: 'A', subdomain: 'team', baseDomain: 'example.net', componentType: 'api' };
  const asMember = await member.post('deployment.create', { organizationId: team.id, ...input });
  const asAdmin = await admin.post('deployment.create', { organizationId: team.id, ...input });
  expect([asMember.status, asAdmin.status]).toEqual([403, 200]);
  expect((await member.get('organization.deployments')).body.items).toHaveLength(1);
  expect((await member.post('deployment.stop', { deploymentId: asAdmin.body.id })).status).toBe(403);
  expect((await owner.post('deployment.stop', { deploymentId: asAdmin.body.id })).status).toBe(404);
  expect((await owner.get('deployment.all')).status).toBe(403);
});
