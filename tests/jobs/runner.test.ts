import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { countJobs, enqueue } from '../../src/domain/job/index.ts';
import type { Mail } from '../../src/domain/mail.ts';
import { createJobRunner, type JobRunner } from '../../src/jobs/runner.ts';
import { createHarness, type Harness, type TestUser, times, UNLIMITED } from '../support/harness.ts';

let h: Harness;
let owner: TestUser;
let organizationId: string;
const sent: Mail[] = [];
let deliver: (mail: Mail) => Promise<void>;
let runner: JobRunner;

beforeAll(async () => {
  h = await createHarness({}, { rateLimiter: UNLIMITED });
  await h.app.jobs.stop(); // the service's own runner would take the jobs of these tests
  const organization = await h.organization();
  [owner, organizationId] = [organization.owner, organization.id];
  runner = newRunner();
});
afterAll(() => h[Symbol.asyncDispose]());
beforeEach(async () => {
  await h.sql`delete from jobs`;
  sent.length = 0;
  h.clock.offset = 0;
  deliver = async (mail) => void sent.push(mail);
});

const newRunner = (patience?: { handler: number; stop: number }, db = h.app.deps.db): JobRunner =>
  createJobRunner(
    { deps: { ...h.app.deps, db }, mailer: { send: (mail) => deliver(mail) } },
    { warn: () => {}, error: () => {} },
    patience,
  );
/** A promise and what resolves or rejects it: a delivery that ends when a test says so. */
function gate() {
  let [open, fail] = [() => {}, (_error: Error) => {}];
  const passed = new Promise<void>((resolve, reject) => {
    [open, fail] = [resolve, reject];
  });
  return { passed, open, fail };
}
const SOON = { timeout: 10_000, interval: 10 };

let invited = 0;
async function invite(): Promise<string> {
  invited += 1;
  const email = `guest${invited}@example.org`;
  const { status, body } = await owner.post('organization.inviteMember', {
    organizationId,
    email,
    role: 'member',
  });
  expect(status).toBe(200);
  return body.id;
}
const jobs = () => h.sql`select attempts, failed_at, last_error, run_at from jobs`;

test('a job is done once and then gone', async () => {
  await invite();
  await Promise.all([runner.runDue(), runner.runDue()]);
  expect(sent).toHaveLength(1);
  expect(await jobs()).toHaveLength(0);
});

test('a change that is rolled back leaves no job', async () => {
  const change = h.app.deps.db.transaction(async (tx) => {
    await enqueue(tx, 'mail.invitation', { invitationId: organizationId, tokenVersion: 1 }, h.app.deps.now());
    throw new Error('no');
  });
  await expect(change).rejects.toThrow('no');
  expect(await jobs()).toHaveLength(0);
});

test('a delivery that fails is tried again later, with the same id', async () => {
  await invite();
  const ids: string[] = [];
  deliver = async ({ id }) => {
    ids.push(id);
    if (ids.length === 1) throw new Error('the server is away');
  };
  await runner.runDue();
  expect(await jobs()).toMatchObject([{ attempts: 1, failedAt: null, lastError: 'the server is away' }]);
  await runner.runDue();
  expect(ids, 'not before its time').toHaveLength(1);
  h.clock.advance(6_000);
  await runner.runDue();
  expect(ids).toHaveLength(2);
  expect(new Set(ids).size).toBe(1);
  expect(await jobs()).toHaveLength(0);
});

test('a delivery that never succeeds is given up and stays to be seen', async () => {
  await invite();
  await h.sql`update invitations set expires_at = now() + interval '1 year'`;
  let attempts = 0;
  deliver = async () => {
    attempts += 1;
    throw new Error('refused');
  };
  for (const _ of times(12, () => 0)) {
    await runner.runDue();
    h.clock.advance(25 * 3_600_000);
  }
  expect(attempts).toBe(9);
  const [job] = await jobs();
  expect(job?.failedAt).toBeInstanceOf(Date);
  expect(job).toMatchObject({ attempts: 9, lastError: 'refused' });
});

test('a job whose process died is taken up again after its lease', async () => {
  await invite();
  await h.sql`update jobs set locked_until = ${new Date(Date.now() + h.clock.offset + 60_000)}, attempts = 1`;
  await runner.runDue();
  expect(sent).toHaveLength(0);
  h.clock.advance(61_000);
  await runner.runDue();
  expect(sent).toHaveLength(1);
});

test('a job whose process died at each attempt is given up', async () => {
  await invite();
  const dies = async (attempts: number) => {
    await h.sql`update jobs set locked_until = ${h.app.deps.now()}, attempts = ${attempts}`;
    await runner.runDue();
  };
  deliver = async () => {
    throw new Error('refused');
  };
  await dies(8);
  expect(await jobs()).toMatchObject([{ attempts: 9, lastError: 'refused' }]);
  await h.sql`update jobs set failed_at = null, last_error = null`;
  deliver = async (mail) => void sent.push(mail);
  await dies(9);
  expect(sent).toHaveLength(0);
  expect(await jobs()).toMatchObject([{ lastError: 'The process ended during the last attempt.' }]);
  expect((await jobs())[0]?.failedAt).toBeInstanceOf(Date);
});

test('nothing is sent for an invitation that was withdrawn', async () => {
  const invitationId = await invite();
  await owner.post('organization.removeInvitation', { invitationId });
  await runner.runDue();
  expect(sent).toHaveLength(0);
  expect(await jobs()).toHaveLength(0);
});

test('nothing is sent for a link that ran out while the mail server was away', async () => {
  deliver = () => Promise.reject(new Error('the server is away'));
  await h.anonymous.post('auth/request-password-reset', { email: owner.email });
  await runner.runDue();
  expect(await jobs()).toMatchObject([{ attempts: 1, lastError: 'the server is away' }]);
  deliver = async (mail) => void sent.push(mail);
  h.clock.advance(3_600_000);
  await runner.runDue();
  expect(sent).toHaveLength(0);
  expect(await jobs()).toHaveLength(0);
});

describe('several at once', () => {
  test('two processes never do the same job', async () => {
    for (const _ of times(25, () => 0)) await invite();
    await Promise.all([newRunner().runDue(), newRunner().runDue(), newRunner().runDue()]);
    expect(sent).toHaveLength(25);
    expect(new Set(sent.map(({ id }) => id)).size).toBe(25);
    expect(await jobs()).toHaveLength(0);
  });

  test('a slow delivery holds no other up, and is waited for when the service stops', async () => {
    for (const _ of times(25, () => 0)) await invite();
    const slow = gate();
    let begun = 0;
    deliver = async (mail) => {
      begun += 1;
      if (begun === 1) await slow.passed;
      sent.push(mail);
    };
    const service = newRunner();
    service.start();
    await vi.waitFor(() => expect(sent).toHaveLength(24), SOON);
    await invite(); // also what comes later
    await vi.waitFor(() => expect(sent).toHaveLength(25), SOON);
    let stopped = false;
    const stopping = service.stop().then(() => {
      stopped = true;
    });
    await invite();
    expect(stopped).toBe(false);
    slow.open();
    await stopping;
    expect(sent, 'nothing new is taken').toHaveLength(26);
    expect(await jobs()).toHaveLength(1);
  });

  test('no more than six of a kind, although PostgreSQL expects a single job, and others beside them', async () => {
    await invite();
    await h.sql`vacuum analyze jobs`; // then it would look for the six anew beside each job that there is
    for (const _ of times(14, () => 0)) await invite();
    const all = gate();
    let begun = 0;
    deliver = async (mail) => {
      if (mail.to === 'holder@example.org') return void sent.push(mail);
      begun += 1;
      await all.passed;
    };
    const service = newRunner();
    service.start();
    await vi.waitFor(() => expect(begun).toBe(6), SOON);
    expect(await h.sql`select 1 from jobs where locked_until is not null`).toHaveLength(6);
    const notice = { kind: 'passwordChanged' as const, at: new Date().toISOString() };
    await h.app.deps.db.transaction((tx) =>
      enqueue(tx, 'mail.notice', { to: 'holder@example.org', notice }, h.app.deps.now()),
    );
    await vi.waitFor(() => expect(sent).toHaveLength(1), SOON);
    expect(begun).toBe(6);
    all.open();
    await vi.waitFor(() => expect(begun).toBe(15), SOON);
    await service.stop();
  });
});

test('a delivery that never ends has failed, and is tried again', async () => {
  await invite();
  deliver = () => new Promise(() => {});
  await newRunner({ handler: 50, stop: 5_000 }).runDue();
  expect(await jobs()).toMatchObject([{ attempts: 1, failedAt: null, lastError: 'no answer in 50 ms' }]);
  h.clock.advance(6_000);
  deliver = async (mail) => void sent.push(mail);
  await runner.runDue();
  expect(sent).toHaveLength(1);
});

test('a delivery that does not end keeps the service from stopping for a while only', async () => {
  await invite();
  const slow = gate();
  onTestFinished(slow.open);
  let begun = false;
  deliver = async () => {
    begun = true;
    await slow.passed;
  };
  const service = newRunner({ handler: 60_000, stop: 50 });
  service.start();
  await vi.waitFor(() => expect(begun).toBe(true), SOON);
  await service.stop();
  const [job] = await h.sql`select failed_at, locked_until from jobs`;
  expect(job?.failedAt).toBeNull();
  expect(job?.lockedUntil, 'to be taken up after its lease').toBeInstanceOf(Date);
});

test('with every slot taken by deliveries that do not end, the service stops as soon', async () => {
  for (const _ of times(6, () => 0)) await invite();
  const notice = { kind: 'passwordChanged' as const, at: new Date().toISOString() };
  for (const _ of times(6, () => 0)) {
    await h.app.deps.db.transaction((tx) =>
      enqueue(tx, 'mail.notice', { to: 'holder@example.org', notice }, h.app.deps.now()),
    );
  }
  const all = gate();
  onTestFinished(all.open);
  let begun = 0;
  deliver = async () => {
    begun += 1;
    await all.passed;
  };
  const service = newRunner({ handler: 60_000, stop: 50 });
  service.start();
  await vi.waitFor(() => expect(begun).toBe(10), SOON);
  await service.stop();
  expect(await h.sql`select 1 from jobs where locked_until is not null`).toHaveLength(10);
});

test('a job that was done while the database went away is not done again', async () => {
  await invite();
  const { db } = h.app.deps;
  let isAway = false;
  const unsteady: typeof db = {
    ...db,
    query: (fn) => (isAway ? Promise.reject(new Error('away')) : db.query(fn)),
  };
  deliver = async (mail) => {
    sent.push(mail);
    isAway = true;
  };
  const running = newRunner(undefined, unsteady);
  running.start();
  await vi.waitFor(() => expect(sent).toHaveLength(1), SOON);
  isAway = false;
  await vi.waitFor(async () => expect(await jobs()).toHaveLength(0), SOON);
  await running.stop();
  expect(sent).toHaveLength(1);
});

test('a job that ends while the service stops is gone', async () => {
  await invite();
  const { passed, open } = gate();
  const begun = gate();
  deliver = () => {
    begun.open();
    return passed;
  };
  const stopping = newRunner();
  stopping.start();
  await begun.passed;
  const stopped = stopping.stop();
  open();
  await stopped;
  expect(await jobs()).toHaveLength(0);
});

test('a job that another process took up meanwhile is left to that', async () => {
  await invite();
  const [first, second] = [gate(), gate()];
  const gates = [first, second];
  let begun = 0;
  deliver = async () => gates[begun++]?.passed;
  const runs = [runner.runDue()];
  await vi.waitFor(() => expect(begun).toBe(1), SOON);
  h.clock.advance(121_000);
  runs.push(newRunner().runDue());
  await vi.waitFor(() => expect(begun).toBe(2), SOON);
  onTestFinished(second.open);
  first.fail(new Error('too late'));
  await runs[0];
  const [job] = await h.sql`select attempts, last_error, locked_until from jobs`;
  expect(job).toMatchObject({ attempts: 2, lastError: null });
  expect(job?.lockedUntil).toBeInstanceOf(Date);
  second.open();
  await runs[1];
  expect(await jobs()).toHaveLength(0);
});

test('a job of a newer version stays and waits for that version, and holds no other up', async () => {
  await h.app.deps.db.transaction((tx) => enqueue(tx, 'mail.notice' as never, {} as never, h.app.deps.now()));
  await h.sql`update jobs set name = 'dns.future'`;
  await invite();
  await runner.runDue();
  expect(sent).toHaveLength(1);
  expect(await jobs()).toMatchObject([{ attempts: 0, failedAt: null, lastError: null }]);
});

test('what is kept of an error is one line of bounded length', async () => {
  await invite();
  deliver = async () => {
    throw new Error(`a\0b\u001b[31m\r\nc${'d'.repeat(5000)}`);
  };
  await runner.runDue();
  const [job] = await jobs();
  expect(job?.lastError).toMatch(/^a b \[31m cd+$/);
  expect(job?.lastError).toHaveLength(500);
});

test('jobs are counted, with the age of the oldest that waits', async () => {
  const count = () => countJobs(h.app.deps.db, h.app.deps.now());
  expect(await count()).toEqual({ waiting: 0, failed: 0, oldestSeconds: 0 });
  for (const _ of times(3, () => 0)) await invite();
  await h.sql`update jobs set failed_at = now(), created_at = now() - interval '1 day'
    where id = (select min(id::text)::uuid from jobs)`;
  h.clock.advance(3_600_000);
  const { waiting, failed, oldestSeconds } = await count();
  expect({ waiting, failed }).toEqual({ waiting: 2, failed: 1 });
  expect(oldestSeconds).toBeGreaterThanOrEqual(3600);
  expect(oldestSeconds).toBeLessThan(3700);
});
