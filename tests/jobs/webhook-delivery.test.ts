import { Webhook } from 'standardwebhooks';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import type { SafePost } from '../../src/domain/safe-fetch.ts';
import { createJobRunner, type JobRunner } from '../../src/jobs/runner.ts';
import { createSafePost } from '../../src/platform/safe-fetch.ts';
import { type Held, hold } from '../http/held.ts';
import { type Body, createHarness, type Harness, type TestUser, times } from '../support/harness.ts';
import { createReceiver, drop, type Got, type Receiver, stall, status } from '../support/receiver.ts';

/* What a receiver gets: each event once it is there, signed, whatever it did before. */

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const ALLOWED = ['127.0.0.0/8'];

let h: Harness;
let owner: TestUser;
let organizationId: string;
let receiver: Receiver;
let runner: JobRunner;
const warnings: string[] = [];

beforeAll(async () => {
  h = await createHarness({
    WEBHOOK_ALLOW_HTTP: 'true',
    WEBHOOK_ALLOWED_NETWORKS: ALLOWED.join(),
  });
  await h.app.jobs.stop(); // the service's own runner would take the jobs of these tests
  runner = newRunner();
});
afterAll(() => h[Symbol.asyncDispose]());
beforeEach(async () => {
  h.clock.offset = 0;
  await h.sql`delete from jobs`;
  warnings.length = 0;
  owner = await h.user(); // new each time: tests and redeliveries are limited by user
  await h.sql`update sessions set expires_at = now() + interval '1 year'`;
  organizationId = (await h.organization(owner)).id;
  receiver = await createReceiver();
});
afterEach(async () => {
  await receiver[Symbol.asyncDispose]();
  expect(warnings, 'what a receiver does is no fault of a job').toEqual([]);
});

const quick = () => createSafePost({ allowedNetworks: ALLOWED, patience: { connect: 500, total: 500 } });
function newRunner({ post = quick() }: { post?: SafePost } = {}): JobRunner {
  const warn = (_details: object, message: string) => void warnings.push(message);
  return createJobRunner(
    { deps: { ...h.app.deps, post }, mailer: { send: async () => {} } },
    { warn, error: warn },
  );
}

type Hook = { id: string; secret: string };
async function newHook(input: Record<string, unknown> = {}): Promise<Hook> {
  const { status: code, body } = await owner.post('webhook.create', {
    organizationId,
    url: receiver.url,
    ...input,
  });
  expect(code).toBe(200);
  return body;
}
async function log({ id: webhookId }: Hook): Promise<Body[]> {
  return (await owner.get('webhook.deliveries', { webhookId })).body.items;
}
/** Makes an event. */
async function change(name = 'deploy'): Promise<void> {
  const { status: code } = await owner.post('sshKey.create', {
    organizationId,
    name,
    publicKey: (await owner.post('sshKey.generate')).body.publicKey,
  });
  expect(code).toBe(200);
}
/** Sends a test event instead, which needs no change. */
async function ask({ id: webhookId }: Hook): Promise<Body> {
  const { status: code, body } = await owner.post('webhook.test', { webhookId });
  expect(code).toBe(200);
  return body;
}
/** Lets time pass, with the jobs running every so often. */
async function pass(ms: number, step = ms): Promise<void> {
  for (let passed = 0; passed < ms; passed += step) {
    h.clock.advance(step);
    await runner.runDue();
  }
}
/** The payload, once the public library has found the signature good at the service's time. */
function verified({ headers, body }: Got, { secret }: Hook): Body {
  const clock = vi.spyOn(Date, 'now').mockReturnValue(h.app.deps.now().getTime());
  try {
    return new Webhook(secret).verify(body, headers as Record<string, string>);
  } finally {
    clock.mockRestore();
  }
}
const idsOf = (got: Got[]) => got.map(({ headers }) => headers['webhook-id']);

test('an event is delivered once, signed, with what the audit log says', async () => {
  const hook = await newHook();
  await change('deploy');
  await runner.runDue();
  await pass(HOUR);
  expect(receiver.got).toHaveLength(1);
  const [got] = receiver.got;
  if (got === undefined) throw new Error('nothing came');
  h.clock.offset = 0; // when it was signed
  expect(got).toMatchObject({ method: 'POST', path: '/hook' });
  expect(got.headers).toMatchObject({ 'content-type': 'application/json', 'user-agent': 'Tenantry' });
  expect(verified(got, hook)).toMatchObject({
    type: 'sshKey.created',
    timestamp: expect.stringMatching(/Z$/),
    data: { organizationId, actor: { userId: owner.id, apiKeyId: null }, after: { name: 'deploy' } },
  });
  expect(await log(hook)).toMatchObject([
    { event: 'sshKey.created', status: 'delivered', attempts: 1, responseStatus: 204, nextAttemptAt: null },
  ]);
  expect((await log(hook))[0].eventId).toBe(got.headers['webhook-id']);
});

test('a receiver that is down for ten minutes gets each event once when it is back', async () => {
  const hook = await newHook();
  await receiver.down();
  for (const index of times(6, (n) => n)) {
    await change(`key ${index}`);
    await pass(100_000, 5_000);
  }
  expect(receiver.got).toHaveLength(0);
  expect((await log(hook)).map(({ status: each }) => each)).toEqual(times(6, () => 'pending'));
  await receiver.up();
  let checked = 0;
  for (const _ of times(400, () => 0)) {
    await pass(5_000);
    for (const got of receiver.got.slice(checked)) {
      expect(verified(got, hook).type).toBe('sshKey.created');
      checked += 1;
    }
  }
  expect(receiver.got).toHaveLength(6);
  expect(new Set(idsOf(receiver.got)).size).toBe(6);
  const names = receiver.got.map(({ body }) => JSON.parse(body).data.resourceName).sort();
  expect(names).toEqual(times(6, (n) => `key ${n}`));
  expect(await h.sql`select 1 from jobs`).toHaveLength(0);
});

describe('is tried again', () => {
  test.each([
    ['an answer 500', status(500, {}, 'broken'), { responseStatus: 500, responseBody: 'broken' }],
    ['a redirect', status(302, { location: 'http://127.0.0.1:1/' }), { responseStatus: 302 }],
    ['a 404', status(404), { responseStatus: 404, error: 'The receiver answered 404.' }],
    ['silence', stall, { responseStatus: null, error: 'There was no answer in time.' }],
    ['a hang-up', drop, { responseStatus: null, error: 'The connection failed.' }],
  ])('after %s, under the same id and signed anew', async (_what, answer, expected) => {
    const hook = await newHook();
    receiver.answers(answer);
    const { deliveryId, eventId } = await ask(hook);
    await runner.runDue();
    expect(await log(hook)).toMatchObject([{ id: deliveryId, status: 'pending', attempts: 1, ...expected }]);
    await pass(4_000);
    expect(receiver.got, 'not before its time').toHaveLength(1);
    receiver.answers(status(200, {}, 'thanks'));
    await pass(2_000);
    const [first, second] = receiver.got;
    if (first === undefined || second === undefined) throw new Error('two attempts were due');
    expect(idsOf(receiver.got)).toEqual([eventId, eventId]);
    expect(second.body).toBe(first.body);
    expect(second.headers['webhook-timestamp']).not.toBe(first.headers['webhook-timestamp']);
    verified(second, hook);
    expect(await log(hook)).toMatchObject([
      { id: deliveryId, status: 'delivered', attempts: 2, error: null, responseBody: 'thanks' },
    ]);
    await pass(HOUR);
    expect(receiver.got).toHaveLength(2);
  });

  test('after 5 s, 30 s, 2 min, 10 min, 1 h, 3 h, 8 h and so on for 24 hours, then never', async () => {
    const hook = await newHook();
    receiver.answers(status(500));
    await ask(hook);
    const start = Date.now();
    const waits: number[] = [];
    await runner.runDue();
    for (let [entry] = await log(hook); entry.status === 'pending'; [entry] = await log(hook)) {
      const wait = Date.parse(entry.nextAttemptAt) - h.app.deps.now().getTime();
      waits.push(Math.ceil(wait / 1000)); // less what the test has taken since
      await pass(wait + 1);
    }
    expect(waits.slice(0, 8)).toEqual([5, 30, 120, 600, 3600, 3 * 3600, 8 * 3600, 8 * 3600]);
    expect(receiver.got).toHaveLength(10);
    const elapsed = h.app.deps.now().getTime() - start;
    expect(Math.round(elapsed / 60_000)).toBe(24 * 60);
    expect(await log(hook)).toMatchObject([{ status: 'failed', attempts: 10, nextAttemptAt: null }]);
    expect(await h.sql`select 1 from jobs`).toHaveLength(0);
  });

  test.each([
    [503, '30', 30],
    [429, '30', 30],
    [500, '30', 5],
    [503, '2', 5],
    [503, '86400', 3600],
    [503, 'soon', 5],
    [503, '-5', 5],
  ])('after %i as Retry-After: %s says, within bounds', async (code, value, seconds) => {
    const hook = await newHook();
    receiver.answers(status(code, { 'retry-after': value }));
    await ask(hook);
    const begun = h.app.deps.now().getTime();
    await runner.runDue();
    const ended = h.app.deps.now().getTime();
    const next = Date.parse((await log(hook))[0].nextAttemptAt) - seconds * 1000;
    expect(next).toBeGreaterThanOrEqual(begun);
    expect(next).toBeLessThanOrEqual(ended);
  });
});

test('a body without end is cut, and the answer counts', async () => {
  const hook = await newHook();
  receiver.answers((response) => {
    response.writeHead(200);
    const more = () => {
      while (!response.destroyed && response.write('y'.repeat(65_536)));
    };
    response.on('drain', more);
    more();
  });
  await ask(hook);
  await runner.runDue();
  expect(await log(hook)).toMatchObject([{ status: 'delivered', responseBody: 'y'.repeat(1024) }]);
});

describe('410', () => {
  test('switches the webhook off and ends what waits', async () => {
    const hook = await newHook();
    receiver.answers(status(500));
    await ask(hook);
    await runner.runDue();
    receiver.answers(status(410));
    await ask(hook);
    await runner.runDue();
    const [listed] = (await owner.get('webhook.all', { organizationId })).body;
    expect(listed).toMatchObject({ active: false, disabledReason: 'gone' });
    expect((await log(hook)).map(({ status: each }) => each)).toEqual(['failed', 'failed']);
    await change();
    await pass(HOUR);
    expect(receiver.got).toHaveLength(2);
    const { body } = await owner.post('webhook.test', { webhookId: hook.id });
    expect(body.data.reason).toBe('webhook_inactive');
  });

  test('until somebody switches it on again', async () => {
    const hook = await newHook();
    receiver.answers(status(410));
    await ask(hook);
    await runner.runDue();
    const { body } = await owner.post('webhook.update', { webhookId: hook.id, active: true });
    expect(body).toMatchObject({ active: true, disabledReason: null, failingSince: null });
    receiver.answers(status(200));
    await change();
    await runner.runDue();
    expect(receiver.got).toHaveLength(2);
  });
});

test('days of failures switch it off, and one success starts the count anew', async () => {
  const hook = await newHook();
  const state = async () => (await owner.get('webhook.all', { organizationId })).body[0];
  const fail = async () => {
    receiver.answers(status(500));
    await ask(hook);
    await runner.runDue();
  };
  await fail();
  expect(Date.parse((await state()).failingSince)).toBeGreaterThan(0);
  h.clock.advance(4 * 24 * HOUR);
  await fail();
  expect(await state()).toMatchObject({ active: true });
  receiver.answers(status(200));
  await ask(hook);
  await runner.runDue();
  expect((await state()).failingSince).toBeNull();
  await fail();
  h.clock.advance(4 * 24 * HOUR);
  await fail();
  expect(await state()).toMatchObject({ active: true, disabledReason: null });
  h.clock.advance(2 * 24 * HOUR);
  await fail();
  expect(await state()).toMatchObject({ active: false, disabledReason: 'failing' });
});

test.each(['webhook.delete', 'webhook.update'])('%s ends what waits', async (name) => {
  const hook = await newHook();
  await receiver.down();
  await ask(hook);
  await runner.runDue();
  await ask(hook); // never tried
  const { status: code } = await owner.post(name, { webhookId: hook.id, active: false });
  expect(code).toBe(200);
  await receiver.up();
  await pass(HOUR);
  expect(receiver.got).toHaveLength(0);
  expect(await h.sql`select 1 from jobs`).toHaveLength(0);
});

test('what waited when it was switched off is not sent when it is switched on', async () => {
  const hook = await newHook();
  await ask(hook);
  await owner.post('webhook.update', { webhookId: hook.id, active: false });
  expect(await log(hook)).toMatchObject([{ status: 'failed', nextAttemptAt: null }]);
  await owner.post('webhook.update', { webhookId: hook.id, active: true });
  await pass(HOUR);
  expect(receiver.got).toHaveLength(0);
});

test('an attempt that somebody else has taken over writes nothing', async () => {
  const hook = await newHook();
  await ask(hook);
  const post = async () => {
    await h.sql`update webhook_deliveries set attempts = attempts + 1`; // as who finds it given up does
    return { failure: 'timed_out' as const };
  };
  await newRunner({ post }).runDue();
  expect(await log(hook)).toMatchObject([{ status: 'pending', attempts: 2, error: null }]);
  expect(await h.sql`select 1 from jobs`).toHaveLength(0);
});

test('a webhook that was switched off behind a waiting event gets nothing', async () => {
  const hook = await newHook();
  await ask(hook);
  await h.sql`update webhooks set active = false`; // as in a change that commits between
  await runner.runDue();
  expect(receiver.got).toHaveLength(0);
  expect(await log(hook)).toMatchObject([{ status: 'failed', error: 'The webhook was switched off.' }]);
});

test('a name that leads inside is refused when it is sent to, in words that tell nothing', async () => {
  const hook = await newHook({ url: 'http://hooks.example.org/' });
  await ask(hook);
  const resolve = async () => ['10.0.0.7'];
  const post = createSafePost({ allowedNetworks: ALLOWED, resolve });
  await newRunner({ post }).runDue();
  const [entry] = await log(hook);
  expect(entry).toMatchObject({ status: 'pending', attempts: 1, responseStatus: null });
  expect(entry.error).toBe('The host has an address that webhooks may not reach.');
  expect(JSON.stringify(entry)).not.toContain('10.0.0.7');
});

test('two processes make one attempt', async () => {
  const hook = await newHook();
  const { deliveryId } = await ask(hook);
  await h.sql`insert into jobs (id, name, payload, run_at) select gen_random_uuid(), name, payload, run_at from jobs`;
  await Promise.all([runner.runDue(), newRunner().runDue()]);
  expect(receiver.got).toHaveLength(1);
  expect(await log(hook)).toMatchObject([{ id: deliveryId, status: 'delivered', attempts: 1 }]);
});

test('an attempt whose process died is made again', async () => {
  const hook = await newHook();
  await ask(hook);
  const at = h.app.deps.now().getTime();
  await h.sql`update jobs set locked_until = ${new Date(at + 120_000)}, attempts = 1`;
  await h.sql`update webhook_deliveries set attempts = 1, sending_until = ${new Date(at + 30_000)}`;
  await runner.runDue();
  expect(receiver.got).toHaveLength(0);
  await pass(121_000);
  expect(receiver.got).toHaveLength(1);
  expect(await log(hook)).toMatchObject([{ status: 'delivered', attempts: 2 }]);
});

test('attempts whose outcome could not be written down are made again, and what waits for them goes too', async () => {
  const hook = await newHook();
  for (const _ of times(6, () => 0)) await ask(hook);
  let held: Promise<Held> | undefined;
  const post: SafePost = async (url, request) => {
    const outcome = await quick()(url, request);
    held ??= hold(h.databaseUrl, 'select 1 from webhooks for update');
    await held;
    return outcome;
  };
  await newRunner({ post }).runDue();
  await (await held)?.release();
  expect(warnings.splice(0)).toEqual(times(4, () => 'job failed, next attempt in 5 s'));
  await pass(6_000); // when the first attempts may still be under way, as far as anybody knows
  expect(receiver.got).toHaveLength(4);
  await pass(30_000);
  expect(new Set(idsOf(receiver.got))).toHaveProperty('size', 6);
  expect((await log(hook)).every(({ status: each }) => each === 'delivered')).toBe(true);
  await pass(MINUTE);
  expect(receiver.got).toHaveLength(10);
});

test('what waits for attempts whose process died goes when their webhook is deleted', async () => {
  const [hook, other] = [await newHook(), await newHook()];
  for (const _ of times(4, () => 0)) await ask(hook);
  await h.sql`update jobs set locked_until = now() + interval '2 minutes', attempts = 1`;
  await h.sql`update webhook_deliveries set attempts = 1, sending_until = now() + interval '30 seconds'
    where webhook_id = ${hook.id}`;
  await ask(other);
  await runner.runDue();
  expect(receiver.got).toHaveLength(0);
  expect((await owner.post('webhook.delete', { webhookId: hook.id })).status).toBe(200);
  await runner.runDue();
  expect(await log(other)).toMatchObject([{ event: 'webhook.test', status: 'delivered' }]);
});

test('slow receivers of one organization leave room for the jobs of others', async () => {
  const hook = await newHook();
  let [underWay, most] = [0, 0];
  receiver.answers((response) => {
    underWay += 1;
    most = Math.max(most, underWay);
    response.on('close', () => (underWay -= 1));
  });
  for (const _ of times(12, () => 0)) await ask(hook);
  await runner.runDue();
  expect(most).toBe(4);
  receiver.answers(status(200));
  await pass(60_000, 2_000);
  expect((await log(hook)).every(({ status: each }) => each === 'delivered')).toBe(true);
});

test('silent receivers of many organizations hold up no event of others', async () => {
  let silent = 0;
  let end = (): void => {};
  const over = new Promise<void>((resolve) => {
    end = resolve;
  });
  const service = newRunner({
    post: async (url, request) => {
      if (url === receiver.url) return quick()(url, request);
      silent += 1;
      await over;
      return { failure: 'timed_out' };
    },
  });
  const hook = await newHook();
  for (const _ of times(5, () => 0)) {
    const { id } = await h.organization(owner);
    const { body } = await owner.post('webhook.create', {
      organizationId: id,
      url: `${receiver.url}/silent`,
    });
    for (const __ of times(4, () => 0)) await ask(body);
  }
  service.start();
  await vi.waitFor(() => expect(silent).toBeGreaterThanOrEqual(6), 5_000);
  for (const _ of times(8, () => 0)) await ask(hook);
  await vi.waitFor(() => expect(receiver.got).toHaveLength(8), 5_000);
  end();
  await service.stop();
  expect((await log(hook)).every(({ status: each }) => each === 'delivered')).toBe(true);
});

test('what waits for room has no job that looks for it, and goes as soon as there is some', async () => {
  const hook = await newHook();
  let open = (): void => {};
  const gate = new Promise<void>((resolve) => {
    open = resolve;
  });
  let sent = 0;
  const gated = newRunner({
    post: async () => {
      sent += 1;
      await gate;
      return { status: 200, retryAfter: null, body: '' };
    },
  });
  for (const _ of times(12, () => 0)) await ask(hook);
  const running = gated.runDue();
  const waiting = async () => (await h.sql`select 1 from jobs where locked_until is null`).length;
  await vi.waitFor(async () => expect([sent, await waiting()]).toEqual([4, 0]), 5_000);
  open();
  await running;
  expect([sent, await waiting()]).toEqual([12, 0]);
  expect((await log(hook)).every(({ status: each }) => each === 'delivered')).toBe(true);
});

describe('redeliver', () => {
  test('sends the same event again, under the same id', async () => {
    const hook = await newHook();
    const { deliveryId, eventId } = await ask(hook);
    await runner.runDue();
    const again = (await owner.post('webhook.redeliver', { deliveryId })).body;
    expect(again).toMatchObject({ eventId });
    expect(again.deliveryId).not.toBe(deliveryId);
    await runner.runDue();
    expect(idsOf(receiver.got)).toEqual([eventId, eventId]);
    expect(receiver.got[1]?.body).toBe(receiver.got[0]?.body);
    expect(await log(hook)).toMatchObject([{ id: again.deliveryId, eventId }, { id: deliveryId }]);
  });

  test('replaces one that waits', async () => {
    const hook = await newHook();
    await receiver.down();
    const { deliveryId } = await ask(hook);
    await runner.runDue();
    await receiver.up();
    await owner.post('webhook.redeliver', { deliveryId });
    await runner.runDue();
    await pass(HOUR);
    expect(receiver.got).toHaveLength(1);
    expect(await log(hook)).toMatchObject([{ status: 'delivered' }, { status: 'failed' }]);
  });
});

test('for a day after a rotation both secrets sign, then the new one alone', async () => {
  const hook = await newHook();
  const { body } = await owner.post('webhook.update', { webhookId: hook.id, rotateSecret: true });
  expect(body.secret).toMatch(/^whsec_/);
  expect(body.secret).not.toBe(hook.secret);
  await ask(hook);
  await runner.runDue();
  const [during] = receiver.got;
  if (during === undefined) throw new Error('nothing came');
  verified(during, hook);
  verified(during, body);
  h.clock.advance(25 * HOUR);
  await ask(hook);
  await runner.runDue();
  const after = receiver.got[1];
  if (after === undefined) throw new Error('nothing came');
  verified(after, body);
  expect(() => verified(after, hook)).toThrow('No matching signature found');
});

test('what is changed on the way fails the check', async () => {
  const hook = await newHook();
  await ask(hook);
  await runner.runDue();
  const [got] = receiver.got;
  if (got === undefined) throw new Error('nothing came');
  expect(() => verified({ ...got, body: `${got.body} ` }, hook)).toThrow();
  const headers = { ...got.headers, 'webhook-id': 'another' };
  expect(() => verified({ ...got, headers }, hook)).toThrow();
});

test('the log is kept for thirty days', async () => {
  const hook = await newHook();
  await ask(hook);
  await runner.runDue();
  h.clock.advance(29 * 24 * HOUR);
  await ask(hook);
  await runner.runDue();
  expect(await log(hook)).toHaveLength(2);
  const other = await ask(hook); // waits, as if the service had been away since
  await h.sql`update webhook_deliveries set created_at = created_at - interval '1 year',
    next_attempt_at = next_attempt_at + interval '1 year' where id = ${other.deliveryId}`;
  h.clock.advance(2 * 24 * HOUR);
  await ask(hook);
  await runner.runDue();
  const statuses = (await log(hook)).map(({ status: each }) => each);
  expect(statuses).toEqual(['delivered', 'pending', 'delivered']);
});

test('the real limit holds: a receiver that says nothing is left after seconds, not minutes', async () => {
  const hook = await newHook();
  receiver.answers(stall);
  await ask(hook);
  const start = performance.now();
  await newRunner(h.app.deps).runDue();
  expect(performance.now() - start).toBeLessThan(15_000);
  expect(await log(hook)).toMatchObject([{ status: 'pending', error: 'There was no answer in time.' }]);
});
