import { afterAll, beforeAll, expect, test } from 'vitest';
import { createHarness, type Harness } from '../support/harness.ts';
import { invite, newRecordOf, newSshKeyOf, newTunnelAllocationOf, newTunnelDeviceOf } from './stage.ts';
import { newTeam } from './team.ts';

/* What deleting an organization would take with it, told before it is done. */

let h: Harness;
beforeAll(async () => {
  h = await createHarness();
  await h.user(); // the first account is the rootAdmin
});
afterAll(() => h[Symbol.asyncDispose]());

test('counts what goes, and nothing goes', async () => {
  const [{ id, owner, admin, member }, other] = [await newTeam(h), await newTeam(h)];
  await invite(owner, id);
  const { id: expired } = await invite(admin, id);
  await h.sql`update invitations set expires_at = now() - interval '1 hour' where id = ${expired}`;
  await invite(other.owner, other.id);
  for (const holder of [owner, owner, member]) await h.key(holder, { organizationId: id });
  await h.key(owner, { scope: 'user', organizationId: id });
  await newSshKeyOf(h, id);
  await newSshKeyOf(h, other.id);
  for (const organizationId of [id, other.id, id]) await newTunnelAllocationOf(h, organizationId);
  await newTunnelDeviceOf(h, { organizationId: id });
  await newRecordOf(h, id);
  await newRecordOf(h, other.id);
  const read = () => owner.get('organization.deletePreview', { organizationId: id });
  const expected = {
    deletes: {
      ...{ members: 5, invitations: 1, apiKeys: 3, sshKeys: 1, dnsZones: 1, dnsRecords: 1 },
      ...{ tunnelDevices: 3, tunnelAllocations: 2, avatar: false },
    },
    deletable: true,
    obstacles: [],
  };
  for (let time = 0; time < 2; time += 1) {
    const { status, body } = await read();
    expect([status, body]).toEqual([200, expected]);
  }
  await h.sql`update organizations set avatar_hash = 'abc' where id = ${id}`;
  expect((await read()).body.deletes.avatar).toBe(true);
});

test('names what stands in the way, as the deletion would', async () => {
  const owner = await h.user();
  const [{ id: organizationId }] = (await owner.get('organization.all')).body;
  const preview = () => owner.get('organization.deletePreview', { organizationId });
  const { body } = await preview();
  const refused = (await owner.post('organization.delete', { organizationId })).body;
  expect(body).toMatchObject({
    deletable: false,
    obstacles: [{ reason: 'last_organization', message: refused.message }],
  });
  await owner.post('organization.create', { name: 'Another' });
  expect((await preview()).body).toMatchObject({ deletable: true, obstacles: [] });
  expect((await owner.post('organization.delete', { organizationId })).status).toBe(200);
  expect((await preview()).status).toBe(404);
});

test('is for who may delete, also while the organization is switched off', async () => {
  const { id: organizationId, owner, admin } = await newTeam(h);
  expect((await admin.get('organization.deletePreview', { organizationId })).status).toBe(403);
  await h.sql`update organizations set active = false where id = ${organizationId}`;
  expect((await owner.get('organization.deletePreview', { organizationId })).status).toBe(200);
});
