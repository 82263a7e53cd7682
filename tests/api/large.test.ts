import { afterAll, beforeAll, expect, test } from 'vitest';
import { adoptZones } from '../../src/domain/zone-sync/index.ts';
import { createHarness, type Harness, PASSWORD, statuses } from '../support/harness.ts';

let h: Harness;
beforeAll(async () => {
  h = await createHarness({ WEBHOOK_ALLOW_HTTP: 'true' });
  // By it a statement takes as long as some 100,000 rows.
  await h.sql`create function takes_long() returns trigger language plpgsql as $$
    begin perform pg_sleep(5.2); return null; end $$`;
});
afterAll(() => h[Symbol.asyncDispose]());

test('what takes longer than a statement may, as there is so much of it, is deleted and renamed all the same', async () => {
  const doomed = await h.organization();
  const left = await h.organization();
  const renaming = await h.organization();
  const hooked = await h.organization();
  const leaving = await left.join('member');
  await h.sql`delete from organizations where owner_id = ${leaving.id}`;
  const role = { organizationId: renaming.id, roleName: 'helper', permissions: { server: ['read'] } };
  expect((await renaming.owner.post('customRole.create', role)).status).toBe(200);
  const helper = await renaming.join('member');
  await h.sql`update memberships set role = 'helper' where id = ${helper.memberId}`;
  const { body: webhook } = await hooked.owner.post('webhook.create', {
    organizationId: hooked.id,
    url: 'https://example.com/',
    events: ['*'],
  });

  await h.sql`create trigger slow after delete or update on memberships for each statement execute function takes_long()`;
  await h.sql`create trigger slow after delete on webhook_deliveries for each statement execute function takes_long()`;

  const done = await Promise.all([
    doomed.owner.post('organization.delete', { organizationId: doomed.id }),
    leaving.post('user.remove', { userId: 'me', currentPassword: PASSWORD }),
    hooked.owner.post('webhook.delete', { webhookId: webhook.id }),
    renaming.owner.post('customRole.update', { ...role, newRoleName: 'support' }),
  ]);
  expect(statuses(done)).toEqual([200, 200, 200, 200]);
  expect((await doomed.owner.get('organization.one', { organizationId: doomed.id })).status).toBe(404);
  const { body: members } = await renaming.owner.get('organization.members', { organizationId: renaming.id });
  expect(members.items.map((one: { role: string }) => one.role).sort()).toEqual(['owner', 'support']);
}, 60_000);

test('zones that the settings verify are verified at the start, however many there are', async () => {
  const { id } = await h.organization();
  await h.sql`update dns_zones set verified_at = null where organization_id = ${id}`;
  await h.sql`create trigger slow after update on dns_zones for each statement execute function takes_long()`;
  await adoptZones(h.app.deps);
  expect([
    ...(await h.sql`select verified_at is not null as verified from dns_zones where organization_id = ${id}`),
  ]).toEqual([{ verified: true }]);
}, 60_000);
