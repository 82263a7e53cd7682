import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isPermission } from '../../src/kernel/permissions.ts';
import { createHarness, type Harness, type Reply } from '../support/harness.ts';
import { call, procedureOf, procedures } from './procedures.ts';
import { type Cast, createCast, createStage, INPUTS, invite, newAddress, tokenFor } from './stage.ts';

/* An organization that is switched off can be read, switched on again and deleted. Nothing else: 412. */

let h: Harness;
let cast: Cast;
beforeAll(async () => {
  h = await createHarness({ MAX_ORGANIZATIONS_PER_USER: '1000' });
  cast = await createCast(h);
});
afterAll(() => h[Symbol.asyncDispose]());

const switchOff = (organizationId: string) =>
  h.sql`update organizations set active = false where id = ${organizationId}`;

function expectInactive({ status, body, text }: Reply) {
  expect(status, text).toBe(412);
  expect([body.code, body.data.reason]).toEqual(['PRECONDITION_FAILED', 'organization_inactive']);
}

const changes = procedures
  .filter(
    ({ type, meta: { access = '' } }) => type === 'mutation' && (access === 'member' || isPermission(access)),
  )
  .map(({ name }) => name)
  .filter((name) => name !== 'organization.delete');

describe('every change of an organization is refused', () => {
  test.each(changes)('%s', async (name) => {
    const stage = await createStage(h, cast);
    const input = await INPUTS[name]?.({ h, cast, stage, holder: cast.owner });
    await switchOff(stage.organizationId);
    const rows = () => h.sql`select count(*) from audit_log where organization_id = ${stage.organizationId}`;
    const before = await rows();
    expectInactive(await call(cast.owner, procedureOf(name), input));
    expect(await rows()).toEqual(before);
  });

  test('a key for it', async () => {
    const { organizationId } = await createStage(h, cast);
    await switchOff(organizationId);
    expectInactive(await cast.owner.post('apiKey.create', { name: 'a', organizationId }));
    expectInactive(await cast.owner.post('apiKey.create', { name: 'a', scope: 'user', organizationId }));
    expectInactive(await cast.owner.post('user.createApiKey', { name: 'a', metadata: { organizationId } }));
  });

  test.each(['invitation.accept', 'invitation.reject'])('%s', async (name) => {
    const { organizationId } = await createStage(h, cast);
    const guest = await h.user();
    const { id } = await invite(cast.owner, organizationId, guest.email);
    const token = await tokenFor(h, guest.email);
    await switchOff(organizationId);
    expectInactive(await guest.post(name, { invitationId: id }));
    expectInactive(await guest.post(name, { token }));
    expect((await guest.get('organization.all')).body).toHaveLength(1);
  });

  test('an account by invitation to it', async () => {
    const { organizationId } = await createStage(h, cast);
    const { email } = await invite(cast.owner, organizationId, newAddress());
    const invitationToken = await tokenFor(h, email);
    await switchOff(organizationId);
    const account = { email, password: 'Correct-horse-1', name: 'Guest', invitationToken };
    expectInactive(await h.anonymous.post('auth/sign-up/email', account));
    expect(await h.sql`select 1 from users where email = ${email}`).toHaveLength(0);
  });
});

test('it can be read', async () => {
  const { organizationId } = await createStage(h, cast);
  const key = await h.key(cast.owner, { organizationId });
  await cast.member.post('organization.setActive', { organizationId });
  await switchOff(organizationId);
  for (const caller of [cast.owner, cast.member, key]) {
    const { status, body } = await caller.get('organization.one', { organizationId });
    expect([status, body.active]).toEqual([200, false]);
  }
  for (const name of ['auditLog.all', 'organization.allInvitations']) {
    expect((await cast.owner.get(name, { organizationId })).status).toBe(200);
  }
  expect((await cast.member.get('organization.active')).body).toMatchObject({
    id: organizationId,
    active: false,
  });
  expect((await cast.member.get('user.get')).body).toMatchObject({ organizationId });

  const idsOf = async (query: Record<string, boolean>) => {
    const { body } = await cast.owner.get('organization.all', { limit: 1000, ...query });
    return body.map((organization: { id: string }) => organization.id);
  };
  expect(await idsOf({})).toContain(organizationId);
  expect(await idsOf({ activeOnly: false })).toContain(organizationId);
  expect(await idsOf({ activeOnly: true })).not.toContain(organizationId);
});

test('it can be switched on, with other changes in the same call, by who may change it', async () => {
  const { id: organizationId, owner, join } = await h.organization();
  const admin = await join('admin');
  const member = await join('member');
  const off = await admin.post('organization.update', { organizationId, active: false });
  expect([off.status, off.body.active]).toEqual([200, false]);
  expectInactive(await admin.post('organization.update', { organizationId, active: false }));
  expectInactive(await owner.post('organization.update', { organizationId, name: 'Renamed' }));
  expect((await member.post('organization.update', { organizationId, active: true })).status).toBe(403);

  const on = await owner.post('organization.update', { organizationId, active: true, name: 'Renamed' });
  expect(on.body).toMatchObject({ active: true, name: 'Renamed' });
  expect((await owner.post('organization.update', { organizationId, name: 'Again' })).status).toBe(200);
});

test('it can be deleted', async () => {
  const { organizationId } = await createStage(h, cast);
  await switchOff(organizationId);
  expect((await cast.owner.post('organization.delete', { organizationId })).status).toBe(200);
});

test('a key for it can be taken back', async () => {
  const { organizationId } = await createStage(h, cast);
  const key = await h.key(cast.owner, { organizationId });
  await switchOff(organizationId);
  expect((await cast.owner.post('apiKey.delete', { apiKeyId: key.id })).status).toBe(200);
});
