import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { hashSecret } from '../../src/kernel/secrets.ts';
import { newUserCode } from '../../src/kernel/user-codes.ts';
import { type Body, createHarness, type Harness, type Reply, type TestUser } from '../support/harness.ts';
import { newEnrolment, newRoleOf, newTunnelDeviceOf } from './stage.ts';

/* How devices are taken in (RFC 8628), what their token opens, and what goes when their owner does. */

let h: Harness;
let root: TestUser;
let ada: TestUser;
beforeAll(async () => {
  h = await createHarness({ TUNNEL_HOST: 'tunnels.example.com', TUNNEL_PORT_RANGE: '30000-30099' });
  root = await h.user(); // the first account is the rootAdmin
});
afterAll(() => h[Symbol.asyncDispose]());
beforeEach(async () => {
  ada = await h.user();
});

/** Without the limit of one client, which all tests share. */
async function start(name = 'gateway'): Promise<Body> {
  const { deviceCode, userCode } = await newEnrolment(h);
  await h.sql`update tunnel_enrolments set name = ${name} where device_code_hash = ${hashSecret(deviceCode)}`;
  return { deviceCode, userCode };
}
const poll = (deviceCode: string): Promise<Reply> => h.anonymous.post('tunnelDevice.poll', { deviceCode });
const approve = (userCode: string, input: object = {}, by = ada): Promise<Reply> =>
  by.post('tunnelDevice.approve', { userCode, ...input });
const allocationsBy = (token: string): Promise<Reply> =>
  h.anonymous.post('tunnelDevice.allocations', { token });
const refusal = ({ status, body, headers }: Reply) => [
  status,
  body.data?.reason,
  headers.get('retry-after') ?? undefined,
];

async function enrol(input: object = {}, by = ada): Promise<{ id: string; token: string }> {
  const { deviceCode, userCode } = await start();
  expect((await approve(userCode, input, by)).status).toBe(200);
  const { status, body, text } = await poll(deviceCode);
  expect(status, text).toBe(200);
  return body;
}
const open = (deviceId: string, by = ada) =>
  by.post('tunnelAllocation.create', { deviceId, protocol: 'tcp', targetPort: 22 });

describe('start', () => {
  test('gives two codes, of which the database has hashes alone', async () => {
    const { status, body } = await h.anonymous.post('tunnelDevice.start', { name: ' my gateway ' });
    expect(status).toBe(200);
    expect(body).toEqual({
      deviceCode: expect.stringMatching(/^[\w-]{43}$/),
      userCode: expect.stringMatching(/^[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}$/),
      verificationUri: 'http://localhost:3000/device',
      verificationUriComplete: `http://localhost:3000/device?user_code=${body.userCode}`,
      expiresIn: 600,
      interval: 5,
    });
    const code = body.userCode.replace('-', '');
    const [row] =
      await h.sql`select * from tunnel_enrolments where device_code_hash = ${hashSecret(body.deviceCode)}`;
    expect(row).toMatchObject({ name: 'my gateway', ipAddress: '127.0.0.1' });
    const stored = JSON.stringify(row);
    for (const secret of [body.deviceCode, body.userCode, code, hashSecret(code)]) {
      expect(stored).not.toContain(secret); // a plain hash of the user code could be undone by trying all codes
    }
  });

  test('is limited for one client, and clears away what has expired', async () => {
    const { deviceCode } = await newEnrolment(h);
    await h.sql`update tunnel_enrolments set expires_at = now() - interval '1 hour'
      where device_code_hash = ${hashSecret(deviceCode)}`;
    const statuses = new Set<number>();
    for (let time = 0; time < 25; time += 1) {
      statuses.add((await h.anonymous.post('tunnelDevice.start', { name: 'x' })).status);
    }
    expect([...statuses]).toEqual([200, 429]);
    expect(
      await h.sql`select 1 from tunnel_enrolments where device_code_hash = ${hashSecret(deviceCode)}`,
    ).toEqual([]);
  });
});

describe('poll', () => {
  test('waits for a person, and gives the token once', async () => {
    const { deviceCode, userCode } = await start();
    expect(refusal(await poll(deviceCode))).toEqual([400, 'authorization_pending', '5']);
    const { body: request } = await ada.get('tunnelDevice.preview', { userCode });
    expect(request).toMatchObject({ name: 'gateway' });
    expect((await approve(userCode)).body).toEqual(request);
    const { status, body } = await poll(deviceCode);
    expect([status, body]).toMatchObject([
      200,
      { id: request.deviceId, userId: ada.id, organizationId: null, name: 'gateway' },
    ]);
    expect(body.token).toMatch(/^tunnel_[\w-]{43}$/);
    expect(refusal(await poll(deviceCode))).toEqual([400, 'expired_token', undefined]);
    expect((await ada.get('tunnelDevice.all', { scope: 'user' })).body.items).toMatchObject([
      { id: body.id },
    ]);
    expect(JSON.stringify(await h.sql`select * from tunnel_devices`)).not.toContain(body.token.slice(7));
  });

  test('too early makes the interval 5 seconds longer, each time', async () => {
    const { deviceCode, userCode } = await start();
    const pollAfter = async (seconds: number) => {
      h.clock.advance(seconds * 1000);
      return refusal(await poll(deviceCode)).slice(1);
    };
    expect(await pollAfter(0)).toEqual(['authorization_pending', '5']);
    expect(await pollAfter(5)).toEqual(['authorization_pending', '5']);
    expect(await pollAfter(3)).toEqual(['slow_down', '10']);
    expect(await pollAfter(8)).toEqual(['slow_down', '15']);
    expect(await pollAfter(15)).toEqual(['authorization_pending', '15']);
    await approve(userCode);
    expect((await poll(deviceCode)).status).toBe(200); // a decision is told at once
  });

  test('says that it was turned down, for as long as the code lives', async () => {
    const { deviceCode, userCode } = await start();
    expect((await ada.post('tunnelDevice.deny', { userCode })).status).toBe(200);
    for (let time = 0; time < 2; time += 1) {
      expect(refusal(await poll(deviceCode))).toEqual([400, 'access_denied', undefined]);
    }
    expect((await approve(userCode)).status).toBe(404);
    h.clock.advance(601_000);
    expect(refusal(await poll(deviceCode))).toEqual([400, 'expired_token', undefined]);
  });

  test.each([false, true])('says that its time is over, approved: %s', async (approved) => {
    const { deviceCode, userCode } = await start();
    if (approved) await approve(userCode);
    h.clock.advance(601_000);
    const expired = await poll(deviceCode);
    const unknown = await poll('x'.repeat(43));
    expect([refusal(expired), expired.text]).toEqual([[400, 'expired_token', undefined], unknown.text]);
    expect(refusal(await approve(userCode))).toEqual([404, 'user_code_not_found', undefined]);
  });

  test('is not answered from memory while it waits, and its token is, by an Idempotency-Key', async () => {
    const { deviceCode, userCode } = await start();
    const keyed = () =>
      h.anonymous.post(
        'tunnelDevice.poll',
        { deviceCode },
        { 'idempotency-key': `poll ${userCode}`.replace(' ', '-') },
      );
    expect(refusal(await keyed())).toEqual([400, 'authorization_pending', '5']);
    await approve(userCode);
    const first = await keyed();
    expect(first.status).toBe(200);
    expect((await keyed()).text).toBe(first.text);
    expect((await poll(deviceCode)).body.data.reason).toBe('expired_token');
  });

  test('writes who let the device in, and from where it came', async () => {
    const { id, owner } = await h.organization(ada);
    const device = await enrol({ organizationId: id }, owner);
    const { body } = await owner.get('auditLog.all', { organizationId: id, limit: 2 });
    expect(body).toMatchObject([
      {
        action: 'create',
        resourceType: 'tunnelDevice',
        resourceId: device.id,
        userId: ada.id,
        ipAddress: '127.0.0.1',
      },
      { action: 'approve', resourceType: 'tunnelDevice', resourceId: device.id, userId: ada.id },
    ]);
  });
});

describe('a user code', () => {
  test('is taken in either case, with and without its dash, and nothing else is', async () => {
    for (const write of [
      (code: string) => code.toLowerCase(),
      (code: string) => `${code.slice(0, 4)}-${code.slice(4)}`,
      (code: string) => ` ${code.slice(0, 4)} ${code.slice(4)} `,
    ]) {
      const { userCode } = await start();
      expect((await approve(write(userCode))).status).toBe(200);
    }
    for (const userCode of ['', 'WDJB-MJH', 'WDJB-MJHTT', 'AEIO-UAEI', '12345678']) {
      const { status, body } = await approve(userCode);
      expect([status, body.issues[0].path]).toEqual([400, ['userCode']]);
    }
  });

  test('that is unknown, used or turned down is one answer, to whoever asks', async () => {
    const [used, denied] = [await start(), await start()];
    await approve(used.userCode);
    await ada.post('tunnelDevice.deny', { userCode: denied.userCode });
    const texts = new Set<string>();
    for (const userCode of [newUserCode(), used.userCode, denied.userCode]) {
      for (const by of [ada, root]) {
        const reply = await by.get('tunnelDevice.preview', { userCode });
        expect(reply.status).toBe(404);
        texts.add(reply.text);
      }
    }
    expect(texts.size).toBe(1);
  });

  test('cannot be guessed: tries are few, over all that take one', async () => {
    const tries: number[] = [];
    for (let time = 0; time < 20; time += 1) {
      tries.push((await ada.get('tunnelDevice.preview', { userCode: newUserCode() })).status);
      tries.push((await approve(newUserCode())).status);
    }
    expect(new Set(tries)).toEqual(new Set([404]));
    const { userCode } = await start();
    const replies = [
      await ada.get('tunnelDevice.preview', { userCode }),
      await approve(userCode),
      await ada.post('tunnelDevice.deny', { userCode }),
    ];
    expect(replies.map(({ status }) => status)).toEqual([429, 429, 429]);
    expect(Number(replies[0]?.headers.get('retry-after'))).toBeGreaterThan(60);
  });

  test('lets no more than 100 devices in for one owner', async () => {
    await h.sql`insert into tunnel_devices (id, user_id, name, token_hash)
      select gen_random_uuid(), ${ada.id}, 'many', gen_random_uuid() from generate_series(1, 99)`;
    const [first, second] = [await start(), await start()];
    expect((await approve(first.userCode)).status).toBe(200); // one more is on its way now
    expect(refusal(await approve(second.userCode)).slice(0, 2)).toEqual([412, 'too_many_tunnel_devices']);
    expect((await poll(first.deviceCode)).status).toBe(200);
    expect(refusal(await approve(second.userCode)).slice(0, 2)).toEqual([412, 'too_many_tunnel_devices']);
    const { id: organizationId } = await h.organization(ada);
    expect((await approve(second.userCode, { organizationId })).status).toBe(200); // another owner
  });
});

describe('approving for an organization', () => {
  test('is for owners and admins', async () => {
    const org = await h.organization();
    for (const [by, expected] of [
      [org.owner, 200],
      [await org.join('admin'), 200],
      [await org.join('member'), 403],
      [ada, 404],
    ] as const) {
      const { userCode } = await start();
      expect((await approve(userCode, { organizationId: org.id }, by)).status).toBe(expected);
    }
  });

  test('falls with the approver’s membership, his account and his suspension', async () => {
    const org = await h.organization();
    const [leaver, gone, suspended] = [
      await org.join('admin'),
      await org.join('admin'),
      await org.join('admin'),
    ];
    const codes = new Map<TestUser, string>();
    for (const by of [leaver, gone, suspended]) {
      const { deviceCode, userCode } = await start();
      expect((await approve(userCode, { organizationId: org.id }, by)).status).toBe(200);
      codes.set(by, deviceCode);
    }
    const pollOf = async (by: TestUser) => (await poll(codes.get(by) ?? '')).body.data?.reason;
    await org.owner.post('organization.removeMember', { memberId: leaver.memberId });
    expect(await pollOf(leaver)).toBe('expired_token');
    await root.post('user.remove', { userId: gone.id, deleteOrganizations: true });
    expect(await pollOf(gone)).toBe('expired_token');
    await root.post('user.suspend', { userId: suspended.id });
    expect(await pollOf(suspended)).toBe('authorization_pending');
    await root.post('user.unsuspend', { userId: suspended.id });
    expect(await pollOf(suspended)).toBeUndefined();
  });

  test('counts only while the approver may still let devices in', async () => {
    const org = await h.organization();
    await newRoleOf(h, org.id, 'Gatekeeper', ['tunnel:create']);
    const [admin, gatekeeper] = [await org.join('admin'), await org.join('Gatekeeper')];
    const codes: string[] = [];
    for (const by of [admin, gatekeeper, org.owner]) {
      const { deviceCode, userCode } = await start();
      expect((await approve(userCode, { organizationId: org.id }, by)).status).toBe(200);
      codes.push(deviceCode);
    }
    const { memberId } = admin;
    await org.owner.post('organization.updateMemberRole', { memberId, role: 'member' });
    const narrowed = { roleName: 'Gatekeeper', permissions: { tunnel: ['read'] } };
    expect((await org.owner.post('customRole.update', { organizationId: org.id, ...narrowed })).status).toBe(
      200,
    );
    const outcomes = await Promise.all(codes.map(async (code) => refusal(await poll(code)).slice(0, 2)));
    expect(outcomes).toEqual([
      [400, 'access_denied'],
      [400, 'access_denied'],
      [200, undefined],
    ]);
    expect((await org.owner.get('tunnelDevice.all', { organizationId: org.id })).body.items).toHaveLength(1);
  });

  test('gives no token while the organization is switched off', async () => {
    const { id: organizationId } = await h.organization(ada);
    const { deviceCode, userCode } = await start();
    await approve(userCode, { organizationId });
    const device = await newTunnelDeviceOf(h, { organizationId });
    await h.sql`update organizations set active = false where id = ${organizationId}`;
    const replies = [await poll(deviceCode), await allocationsBy(device.token), await open(device.id)];
    expect(replies.map(({ body }) => body.data.reason)).toEqual(Array(3).fill('organization_inactive'));
    await h.sql`update organizations set active = true where id = ${organizationId}`;
    expect((await poll(deviceCode)).status).toBe(200);
  });
});

describe('an allocation', () => {
  test('is listed for its owner and its device until it is closed', async () => {
    const [device, other] = [await enrol(), await enrol()];
    const { status, body } = await open(device.id);
    expect([status, body]).toMatchObject([
      200,
      { deviceId: device.id, userId: ada.id, host: 'tunnels.example.com', protocol: 'tcp', targetPort: 22 },
    ]);
    expect(body.publicPort).toBeGreaterThanOrEqual(30_000);
    expect(body.publicPort).toBeLessThanOrEqual(30_099);
    const listed = async () => (await ada.get('tunnelAllocation.all', { scope: 'user' })).body;
    expect(await listed()).toEqual([body]);
    expect((await allocationsBy(device.token)).body).toEqual([body]);
    expect((await allocationsBy(other.token)).body).toEqual([]);
    const close = () => ada.post('tunnelAllocation.close', { allocationId: body.id });
    expect((await close()).body).toEqual(body);
    expect((await close()).status).toBe(404);
    expect([await listed(), (await allocationsBy(device.token)).body]).toEqual([[], []]);
  });

  test.each([
    [{ targetPort: 0 }, 'targetPort'],
    [{ targetPort: 65_536 }, 'targetPort'],
    [{ targetPort: '22' }, 'targetPort'],
    [{ protocol: 'icmp' }, 'protocol'],
  ])('with %j is refused', async (input, field) => {
    const { id: deviceId } = await newTunnelDeviceOf(h, { userId: ada.id });
    const { status, body } = await ada.post('tunnelAllocation.create', {
      ...{ deviceId, protocol: 'tcp', targetPort: 22 },
      ...input,
    });
    expect([status, body.issues[0].path]).toEqual([400, [field]]);
  });

  test('is one of ten at most, over all devices of an owner', async () => {
    const devices = [
      await newTunnelDeviceOf(h, { userId: ada.id }),
      await newTunnelDeviceOf(h, { userId: ada.id }),
    ];
    const last: Reply[] = [];
    for (let time = 0; time < 11; time += 1) last.push(await open(devices[time % 2]?.id ?? ''));
    expect(last.filter(({ status }) => status === 200)).toHaveLength(10);
    expect(refusal(last[10] as Reply).slice(0, 2)).toEqual([412, 'too_many_tunnel_allocations']);
    const { id: organizationId } = await h.organization(ada);
    expect((await open((await newTunnelDeviceOf(h, { organizationId })).id)).status).toBe(200);
    await ada.post('tunnelAllocation.close', { allocationId: last[0]?.body.id });
    expect((await open(devices[0]?.id ?? '')).status).toBe(200);
    await h.sql`delete from tunnel_allocations`;
  });
});

test('what one person owns is nobody else’s, nor a limited key’s', async () => {
  const device = await enrol();
  const { body: allocation } = await open(device.id);
  const [limited, whole] = [await h.key(ada), await h.key(ada, { scope: 'user' })];
  for (const by of [root, limited]) {
    expect((await by.post('tunnelDevice.remove', { deviceId: device.id })).status).toBe(404);
    expect((await by.post('tunnelAllocation.close', { allocationId: allocation.id })).status).toBe(404);
  }
  expect((await limited.get('tunnelDevice.all', { scope: 'user' })).status).toBe(403);
  expect((await root.get('tunnelDevice.all', { scope: 'user' })).body.items).toEqual([]);
  expect((await whole.get('tunnelDevice.all', { scope: 'user' })).body.items).toHaveLength(1);
});

test('devices come in pages', async () => {
  const ids = [];
  for (let n = 0; n < 3; n += 1) ids.push((await newTunnelDeviceOf(h, { userId: ada.id })).id);
  const page = (query: object) => ada.get('tunnelDevice.all', { scope: 'user', limit: 2, ...query });
  const { body: first } = await page({});
  const { body: second } = await page({ cursor: first.nextCursor });
  expect([...first.items, ...second.items].map(({ id }: Body) => id)).toEqual(ids);
  expect(second.nextCursor).toBeNull();
});

describe('a device’s token', () => {
  test('marks it as seen, at most once a minute', async () => {
    const { id, token } = await enrol();
    const seen = async () => {
      await allocationsBy(token);
      const [row] = await h.sql<
        { at: Date | null }[]
      >`select last_seen_at as at from tunnel_devices where id = ${id}`;
      return row?.at?.getTime() ?? 0;
    };
    const first = await seen();
    expect(first).toBeGreaterThan(0);
    expect(await seen()).toBe(first);
    h.clock.advance(61_000);
    expect(await seen()).toBeGreaterThan(first);
  });

  test('opens nothing once the device is removed, whose ports are closed', async () => {
    const device = await enrol();
    await open(device.id);
    await open(device.id);
    const { body } = await ada.post('tunnelDevice.remove', { deviceId: device.id });
    expect(body).toMatchObject({ id: device.id, name: 'gateway' });
    expect(refusal(await allocationsBy(device.token)).slice(0, 2)).toEqual([401, 'device_token_invalid']);
    expect(await h.sql`select 1 from tunnel_allocations where user_id = ${ada.id}`).toEqual([]);
    const [row] =
      await h.sql`select before from audit_log where resource_id = ${device.id} and action = 'delete'`;
    expect(row?.before).toMatchObject({ allocations: 2 });
  });

  test('rests while its owner is suspended, and ends with the account', async () => {
    const { token } = await enrol();
    await root.post('user.suspend', { userId: ada.id });
    expect(refusal(await allocationsBy(token)).slice(0, 2)).toEqual([401, 'account_suspended']);
    await root.post('user.unsuspend', { userId: ada.id });
    expect((await allocationsBy(token)).status).toBe(200);
    await root.post('user.remove', { userId: ada.id, deleteOrganizations: true });
    expect(refusal(await allocationsBy(token)).slice(0, 2)).toEqual([401, 'device_token_invalid']);
  });

  test('of an organization’s device stays when its approver goes, and ends with the organization', async () => {
    const org = await h.organization();
    const admin = await org.join('admin');
    const { id, token } = await enrol({ organizationId: org.id }, admin);
    expect((await open(id, admin)).status).toBe(200);
    await root.post('user.suspend', { userId: admin.id });
    await org.owner.post('organization.removeMember', { memberId: admin.memberId });
    await root.post('user.remove', { userId: admin.id, deleteOrganizations: true });
    expect((await allocationsBy(token)).body).toHaveLength(1);
    expect((await org.owner.post('organization.delete', { organizationId: org.id })).status).toBe(200);
    expect((await allocationsBy(token)).status).toBe(401);
    expect(await h.sql`select 1 from tunnel_allocations where organization_id = ${org.id}`).toEqual([]);
  });
});

test('the export of an account has its devices, and no token of theirs', async () => {
  const [device, other] = [await enrol(), await newTunnelDeviceOf(h, { userId: root.id })];
  const { body: allocation } = await open(device.id);
  const { body, text } = await ada.get('user.export');
  expect(body.tunnelDevices).toMatchObject([{ id: device.id, name: 'gateway' }]);
  expect(body.tunnelAllocations).toMatchObject([{ id: allocation.id, publicPort: allocation.publicPort }]);
  expect(text).not.toContain(other.id);
  expect(text).not.toMatch(/tunnel_[\w-]{43}|tokenHash/);
});
