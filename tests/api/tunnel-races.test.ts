import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  createHarness,
  type Harness,
  type Reply,
  statuses,
  type TestUser,
  times,
  UNLIMITED,
  untilServed,
} from '../support/harness.ts';
import { newEnrolment, newTunnelDeviceOf, untilBlocked } from './stage.ts';

/* Whatever happens to tunnels at once ends as if one thing had happened after the other. */

const CALLERS = 32;
const ROUNDS = 3;
const PORTS = 12;

let h: Harness;
let people: TestUser[];
beforeAll(async () => {
  h = await createHarness({ TUNNEL_PORT_RANGE: '40000-40011' }, { rateLimiter: UNLIMITED });
  people = [];
  for (let n = 0; n < CALLERS; n += 1) people.push(await h.user());
});
afterAll(() => h[Symbol.asyncDispose]());

const person = (index: number): TestUser => {
  const found = people[index];
  if (found === undefined) throw new Error(`There are ${people.length} people.`);
  return found;
};
const open = (by: TestUser, deviceId: string, protocol = 'tcp') =>
  by.post('tunnelAllocation.create', { deviceId, protocol, targetPort: 22 });
const poll = (deviceCode: string) => h.anonymous.post('tunnelDevice.poll', { deviceCode });
const reasons = (replies: Reply[]) => replies.map(({ body }) => body.data?.reason ?? 'done').sort();
const oneDone = (reason: string, calls = CALLERS) => ['done', ...Array(calls - 1).fill(reason)].sort();

async function rounds(play: () => Promise<void>): Promise<void> {
  for (let round = 0; round < ROUNDS; round += 1) {
    await play();
    await h.sql`delete from tunnel_allocations`;
  }
}

describe('of 32 who open a port at once', () => {
  test('one has the last allocation of an organization', () =>
    rounds(async () => {
      const { id, owner } = await h.organization(person(0));
      const { id: deviceId } = await newTunnelDeviceOf(h, { organizationId: id });
      for (let n = 0; n < 9; n += 1) expect((await open(owner, deviceId)).status).toBe(200);
      const replies = await h.race(
        id,
        times(CALLERS, () => () => open(owner, deviceId, 'udp')),
      );
      expect(reasons(replies)).toEqual(oneDone('too_many_tunnel_allocations'));
      await owner.post('organization.delete', { organizationId: id });
    }));

  test('one has the last allocation of a person', () =>
    rounds(async () => {
      const ada = person(1);
      const { id: deviceId } = await newTunnelDeviceOf(h, { userId: ada.id });
      for (let n = 0; n < 9; n += 1) expect((await open(ada, deviceId)).status).toBe(200);
      const attempts = times(CALLERS, () => () => open(ada, deviceId, 'udp'));
      const replies = await h.race(ada.id, attempts, undefined, 'users');
      expect(reasons(replies)).toEqual(oneDone('too_many_tunnel_allocations'));
    }));

  test('one has the last free port, whoever they are', async () => {
    const devices = await Promise.all(people.map(({ id: userId }) => newTunnelDeviceOf(h, { userId })));
    const openAs = (index: number) => open(person(index), devices[index]?.id ?? '');
    await rounds(async () => {
      for (let n = 0; n < PORTS - 1; n += 1) expect((await openAs(n)).status).toBe(200);
      // All of them have their own row and wait for the port's lock.
      const { started } = await h.sql.begin(async (tx) => {
        await tx`lock table tunnel_allocations in exclusive mode`;
        const replies = Promise.all(times(CALLERS, (n) => untilServed(() => openAs(n))));
        await untilBlocked(h, CALLERS);
        return { started: replies };
      });
      expect(reasons(await started)).toEqual(oneDone('no_free_port'));
      const ports = await h.sql<{ port: number }[]>`
        select public_port as port from tunnel_allocations order by public_port`;
      expect(ports.map(({ port }) => port)).toEqual(times(PORTS, (n) => 40_000 + n));
      expect((await open(person(0), devices[0]?.id ?? '', 'udp')).status).toBe(200); // another protocol
    });
  });
});

test('of 32 who approve one code at once one does, and the device is his', () =>
  rounds(async () => {
    const { deviceCode, userCode } = await newEnrolment(h);
    const { started } = await h.sql.begin(async (tx) => {
      await tx`select 1 from tunnel_enrolments for update`;
      const replies = Promise.all(
        times(CALLERS, (n) =>
          untilServed(() => person(n).post(`tunnelDevice.${n % 4 === 3 ? 'deny' : 'approve'}`, { userCode })),
        ),
      );
      await untilBlocked(h, CALLERS);
      return { started: replies };
    });
    const replies = await started;
    expect(reasons(replies)).toEqual(oneDone('user_code_not_found'));
    const first = replies.findIndex(({ status }) => status === 200);
    const { body } = await poll(deviceCode);
    if (first % 4 === 3) expect(body.data.reason).toBe('access_denied');
    else expect(body.userId).toBe(person(first).id);
    await h.sql`delete from tunnel_enrolments`;
  }));

test('of 32 polls at once one is given the token', () =>
  rounds(async () => {
    const ada = await h.user();
    const { deviceCode } = await newEnrolment(h, { approvedBy: ada.id });
    const replies = await h.race(
      ada.id,
      times(CALLERS, () => () => poll(deviceCode)),
      undefined,
      'users',
    );
    expect(reasons(replies)).toEqual(oneDone('expired_token'));
    expect(await h.sql`select 1 from tunnel_devices where user_id = ${ada.id}`).toHaveLength(1);
  }));

test('of 32 polls at once of a device that waits one is in time', () =>
  rounds(async () => {
    const { deviceCode } = await newEnrolment(h);
    const { started } = await h.sql.begin(async (tx) => {
      await tx`select 1 from tunnel_enrolments for update`;
      const replies = Promise.all(times(CALLERS, () => untilServed(() => poll(deviceCode))));
      await untilBlocked(h, CALLERS);
      return { started: replies };
    });
    const replies = await started;
    expect(replies.filter(({ body }) => body.data.reason === 'authorization_pending')).toHaveLength(1);
    const waits = replies.map(({ headers }) => Number(headers.get('retry-after'))).sort((a, b) => a - b);
    expect(waits).toEqual(times(CALLERS, (n) => 5 + 5 * n));
    await h.sql`delete from tunnel_enrolments`;
  }));

test('a device that is removed while ports are opened on it has none', () =>
  rounds(async () => {
    const ada = person(3);
    const { id: deviceId } = await newTunnelDeviceOf(h, { userId: ada.id });
    const attempts = times(
      12,
      (n) => () => (n === 6 ? ada.post('tunnelDevice.remove', { deviceId }) : open(ada, deviceId)),
    );
    const replies = await h.race(ada.id, attempts, undefined, 'users');
    expect(replies[6]?.status).toBe(200);
    for (const { status } of replies) expect([200, 404, 412]).toContain(status);
    expect(await h.sql`select 1 from tunnel_allocations`).toEqual([]);
  }));

test('an organization that is deleted while its device fetches the token leaves nothing', () =>
  rounds(async () => {
    const { id, owner } = await h.organization(person(4));
    const enrolments = await Promise.all(
      times(4, () => newEnrolment(h, { approvedBy: owner.id, organizationId: id })),
    );
    const replies = await h.race(id, [
      ...enrolments.slice(0, 2).map(
        ({ deviceCode }) =>
          () =>
            poll(deviceCode),
      ),
      () => owner.post('organization.delete', { organizationId: id }),
      ...enrolments.slice(2).map(
        ({ deviceCode }) =>
          () =>
            poll(deviceCode),
      ),
    ]);
    expect(replies[2]?.status).toBe(200);
    expect(statuses(replies).filter((status) => status !== 200 && status !== 400)).toEqual([]);
    for (const table of ['tunnel_devices', 'tunnel_enrolments']) {
      expect(await h.sql`select 1 from ${h.sql(table)} where organization_id = ${id}`).toEqual([]);
    }
  }));
