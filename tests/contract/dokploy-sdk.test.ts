import { tsImport } from 'tsx/esm/api';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { invitationOfYesterday, invite, tokenFor } from '../api/stage.ts';
import { createHarness, type Harness, type TestUser } from '../support/harness.ts';

/*
 * Dokploy's own client, unchanged, against this service. Its types know nothing of success bodies. It is built for
 * bundlers, which find './sdk.gen' without an extension; tsx does so too. It exports no client to configure, so each
 * call says where to.
 */
const dokploy: typeof import('@dokploy/sdk') = await tsImport('@dokploy/sdk', import.meta.url);

let h: Harness;
let ada: TestUser;
let home: string;
let baseUrl: string;
let headers: Record<string, string>;

beforeAll(async () => {
  h = await createHarness();
  await h.user(); // the first account is rootAdmin; Ada is an ordinary user
  ada = await h.user();
  home = (await ada.get('organization.active')).body.id;
  baseUrl = `${h.baseUrl}/api`;
  headers = (await h.key(ada, { scope: 'user', organizationId: home })).headers;
});
afterAll(() => h[Symbol.asyncDispose]());

const to = () => ({ baseUrl, headers });

type Row = Record<string, unknown>;

/** The body of an answer that must be a success. */
async function bodyOf(
  call: Promise<{ data?: unknown; error?: unknown; response?: Response }>,
): Promise<unknown> {
  const { data, error, response } = await call;
  expect(error).toBeUndefined();
  expect(response?.status).toBe(200);
  return data;
}
const rowOf = async (call: Parameters<typeof bodyOf>[0]) => (await bodyOf(call)) as Row;
const rowsOf = async (call: Parameters<typeof bodyOf>[0]) => (await bodyOf(call)) as Row[];

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const MOMENT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
const id = expect.stringMatching(UUID);
const moment = expect.stringMatching(MOMENT);

const organizationRow = () => ({
  id,
  name: expect.any(String),
  slug: expect.any(String),
  logo: null,
  createdAt: moment,
  metadata: null,
  defaultRole: null,
  ownerId: ada.id,
});

const create = (name: string) => rowOf(dokploy.organizationCreate({ ...to(), body: { name } }));

test('organization: create, one, update and active answer the row', async () => {
  const created = await create('Acme');
  expect(created).toMatchObject({ ...organizationRow(), name: 'Acme' });
  const organizationId = String(created.id);
  expect(await rowOf(dokploy.organizationOne({ ...to(), query: { organizationId } }))).toEqual(created);

  const changed = await rowOf(
    dokploy.organizationUpdate({
      ...to(),
      body: { organizationId, name: 'Acme 2', logo: 'https://example.com/logo.png', defaultRole: 'admin' },
    }),
  );
  expect(changed).toMatchObject({
    ...organizationRow(),
    id: organizationId,
    name: 'Acme 2',
    logo: 'https://example.com/logo.png',
    defaultRole: 'admin',
  });
  expect(await rowOf(dokploy.organizationActive(to()))).toMatchObject({ ...organizationRow(), id: home });
});

test('organization: all answers an array of rows, each with the membership of the caller', async () => {
  const { id: organizationId } = await create('Listed');
  const rows = await rowsOf(dokploy.organizationAll(to()));
  expect(rows).toContainEqual(
    expect.objectContaining({
      ...organizationRow(),
      name: 'Listed',
      members: [{ id, organizationId, userId: ada.id, role: 'owner', createdAt: moment, isDefault: false }],
    }),
  );
});

test('organization: setDefault answers {success: true}, delete an empty array', async () => {
  const organizationId = String((await create('Passing')).id);
  expect(await bodyOf(dokploy.organizationSetDefault({ ...to(), body: { organizationId } }))).toEqual({
    success: true,
  });
  const rows = await rowsOf(dokploy.organizationAll(to()));
  expect(rows.find((row) => row.id === organizationId)).toMatchObject({ members: [{ isDefault: true }] });

  expect(await bodyOf(dokploy.organizationDelete({ ...to(), body: { organizationId } }))).toEqual([]);
  const { error, response } = await dokploy.organizationOne({ ...to(), query: { organizationId } });
  expect(response?.status).toBe(404);
  expect(error).toMatchObject({ code: 'NOT_FOUND', message: expect.any(String) });
});

test('organization: inviteMember, allInvitations and removeInvitation', async () => {
  const invitation = await rowOf(
    dokploy.organizationInviteMember({ ...to(), body: { email: 'Grace@Example.org', role: 'member' } }),
  );
  expect(invitation).toEqual({
    id,
    organizationId: home,
    email: 'grace@example.org',
    role: 'member',
    status: 'pending',
    expiresAt: moment,
    inviterId: ada.id,
    createdAt: moment,
  });
  expect(await rowsOf(dokploy.organizationAllInvitations(to()))).toEqual([invitation]);
  const removed = dokploy.organizationRemoveInvitation({
    ...to(),
    body: { invitationId: String(invitation.id) },
  });
  expect(await bodyOf(removed)).toEqual([]);
});

test('organization: updateMemberRole answers true', async () => {
  const { join } = await h.organization(ada);
  const { memberId } = await join('member');
  expect(
    await bodyOf(dokploy.organizationUpdateMemberRole({ ...to(), body: { memberId, role: 'admin' } })),
  ).toBe(true);
  const [member] = await h.sql`select role from memberships where id = ${memberId}`;
  expect(member?.role).toBe('admin');
});

test('user: get, one and session', async () => {
  const member = await rowOf(dokploy.userGet(to()));
  expect(member).toMatchObject({
    id,
    organizationId: home,
    userId: ada.id,
    role: 'owner',
    createdAt: moment,
    isDefault: expect.any(Boolean),
    user: { id: ada.id, email: ada.email, apiKeys: [{ name: 'test', start: expect.any(String) }] },
  });
  expect(JSON.stringify(member)).not.toMatch(/hash|secret|password|"key"/i);
  expect(await rowOf(dokploy.userOne({ ...to(), query: { userId: ada.id } }))).toMatchObject({
    id: ada.id,
    email: ada.email,
  });
  expect(await rowOf(dokploy.userSession(to()))).toEqual({
    user: { id: ada.id },
    session: { id: null, activeOrganizationId: home },
  });
});

test('user: createApiKey answers the key once, deleteApiKey ends it', async () => {
  const created = await rowOf(
    dokploy.userCreateApiKey({
      ...to(),
      body: {
        name: 'terraform',
        prefix: 'tf_',
        expiresIn: 3600,
        metadata: { organizationId: home },
        rateLimitEnabled: true,
        rateLimitTimeWindow: 60_000,
        rateLimitMax: 1,
      },
    }),
  );
  expect(created).toMatchObject({ id, name: 'terraform', prefix: 'tf_', expiresAt: moment });
  const key = String(created.key);
  expect(key).toMatch(/^tf_.{20,}$/);

  const withKey = { baseUrl, headers: { 'x-api-key': key } };
  expect(await rowOf(dokploy.organizationActive(withKey))).toMatchObject({ id: home });
  const limited = await dokploy.organizationActive(withKey);
  expect(limited.response?.status).toBe(429);
  expect(Number(limited.response?.headers.get('retry-after'))).toBeGreaterThan(0);
  expect(JSON.stringify(await bodyOf(dokploy.userGet(to())))).not.toContain(key);

  expect(await bodyOf(dokploy.userDeleteApiKey({ ...to(), body: { apiKeyId: String(created.id) } }))).toBe(
    true,
  );
  const { error, response } = await dokploy.organizationActive(withKey);
  expect(response?.status).toBe(401);
  expect(error).toMatchObject({ code: 'UNAUTHORIZED', message: expect.stringContaining('revoked') });
});

test('user: all answers the rows of members, each with its user', async () => {
  const rows = await rowsOf(dokploy.userAll(to()));
  expect(rows).toContainEqual(
    expect.objectContaining({
      ...{ id, organizationId: home, userId: ada.id, role: 'owner', createdAt: moment },
      user: expect.objectContaining({ id: ada.id, email: ada.email }),
    }),
  );
});

test('user: getPermissions, haveRootAccess and checkUserOrganizations', async () => {
  expect(await rowOf(dokploy.userGetPermissions(to()))).toMatchObject({
    organization: { delete: true },
    member: { read: true, update: true },
  });
  expect(await bodyOf(dokploy.userHaveRootAccess(to()))).toBe(false);
  const count = dokploy.userCheckUserOrganizations({ ...to(), query: { userId: ada.id } });
  expect(await bodyOf(count)).toBe((await rowsOf(dokploy.organizationAll(to()))).length);
});

test('user: getInvitations, sendInvitation and getUserByToken', async () => {
  const { id: organizationId, owner } = await h.organization();
  const received = await invite(owner, organizationId, ada.email);
  expect(await rowsOf(dokploy.userGetInvitations(to()))).toMatchObject([
    { id: received.id, organizationId, organization: { id: organizationId, name: 'Acme' } },
  ]);
  const token = await tokenFor(h, ada.email);
  const read = dokploy.userGetUserByToken({ ...to(), query: { token } });
  expect(await rowOf(read)).toMatchObject({ email: ada.email, isExpired: false, userAlreadyExists: true });

  const invitationId = await invitationOfYesterday(h, ada, home);
  const sent = dokploy.userSendInvitation({ ...to(), body: { invitationId, notificationId: 'smtp' } });
  expect(await rowOf(sent)).toMatchObject({ id: invitationId, status: 'pending' });
});

test('user: remove answers true, generateToken a word', async () => {
  const { join } = await h.organization(ada);
  const member = await join('member');
  await h.sql`update memberships set organization_id = ${home} where id = ${member.memberId}`;
  expect(await bodyOf(dokploy.userRemove({ ...to(), body: { userId: member.id } }))).toBe(true);
  expect(await bodyOf(dokploy.userGenerateToken(to()))).toBe('token');
});

test('auditLog: all answers an array, newest first', async () => {
  const rows = await rowsOf(
    dokploy.auditLogAll({ ...to(), query: { action: 'create', limit: 2, offset: 0 } }),
  );
  expect(rows.length).toBeGreaterThan(0);
  expect(rows[0]).toMatchObject({ id, organizationId: home, action: 'create', createdAt: moment });
  const moments = rows.map((row) => String(row.createdAt));
  expect(moments).toEqual(moments.toSorted().reverse());
});

test('settings: health', async () => {
  expect(await bodyOf(dokploy.settingsHealth(to()))).toEqual({ status: 'ok' });
});

test('errors arrive as the error of the client, with our code, message and issues', async () => {
  const invalid = await dokploy.organizationCreate({ ...to(), body: { name: '' } });
  expect(invalid.response?.status).toBe(400);
  expect(invalid.data).toBeUndefined();
  expect(invalid.error).toMatchObject({ code: 'BAD_REQUEST', issues: [{ path: ['name'] }] });

  const nobody = await dokploy.organizationAll({ baseUrl });
  expect(nobody.response?.status).toBe(401);
});

test('sshKey: generate makes a pair, which create, all, one, update and remove take as Dokploy’s form sends it', async () => {
  const pair = await rowOf(dokploy.sshKeyGenerate({ ...to() }));
  expect(pair).toEqual({ privateKey: expect.any(String), publicKey: expect.any(String) });
  const body = { name: 'deploy', description: '', organizationId: home };
  const keys = { privateKey: String(pair.privateKey), publicKey: String(pair.publicKey) };
  await bodyOf(dokploy.sshKeyCreate({ ...to(), body: { ...body, ...keys } }));
  const [row] = await rowsOf(dokploy.sshKeyAll(to()));
  expect(row).toMatchObject({ sshKeyId: id, name: 'deploy', organizationId: home, createdAt: moment });
  const sshKeyId = String(row?.sshKeyId);
  expect(await rowOf(dokploy.sshKeyOne({ ...to(), query: { sshKeyId } }))).toEqual(row);
  const lastUsedAt = new Date().toISOString();
  const changed = { ...row, name: 'site', lastUsedAt };
  const update = dokploy.sshKeyUpdate({ ...to(), body: { sshKeyId, name: 'site', lastUsedAt } });
  expect(await rowOf(update)).toEqual(changed);
  expect(await rowOf(dokploy.sshKeyRemove({ ...to(), body: { sshKeyId } }))).toEqual(changed);
  expect(await rowsOf(dokploy.sshKeyAll(to()))).toEqual([]);
});
