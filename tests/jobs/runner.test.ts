import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { enqueue } from '../../src/domain/job/index.ts';
import type { Mail } from '../../src/domain/mail.ts';
import { createJobRunner, type JobRunner } from '../../src/jobs/runner.ts';
import { createHarness, type Harness, type TestUser, times } from '../support/harness.ts';

let h: Harness;
let owner: TestUser;
let organizationId: string;
const sent: Mail[] = [];
let deliver: (mail: Mail) => Promise<void>;
let runner: JobRunner;

beforeAll(async () => {
  h = await createHarness();
  await h.app.jobs.stop(); // the service's own runner would take the jobs of these tests
  const organization = await h.organization();
  [owner, organizationId] = [organization.owner, organization.id];
  const mailer = { send: (mail: Mail) => deliver(mail) };
  runner = createJobRunner({ deps: h.app.deps, mailer }, { warn: () => {}, error: () => {} });
});
afterAll(() => h[Symbol.asyncDispose]());
beforeEach(async () => {
  await h.sql`delete from jobs`;
  sent.length = 0;
  h.clock.offset = 0;
  deliver = async (mail) => void sent.push(mail);
});

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

test('nothing is sent for an invitation that was withdrawn', async () => {
  const invitationId = await invite();
  await owner.post('organization.removeInvitation', { invitationId });
  await runner.runDue();
  expect(sent).toHaveLength(0);
  expect(await jobs()).toHaveLength(0);
});
