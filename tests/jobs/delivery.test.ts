import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { retryFailedJobs } from '../../src/domain/job/index.ts';
import type { Mailer } from '../../src/domain/mail.ts';
import { createJobRunner, type JobRunner } from '../../src/jobs/runner.ts';
import { createResendMailer } from '../../src/platform/mail/resend.ts';
import { createSmtpMailer } from '../../src/platform/mail/smtp.ts';
import { invite } from '../api/stage.ts';
import { createHarness, type Harness, type TestUser } from '../support/harness.ts';
import { FROM, type Outcome, refusal, resendServer, smtpServer } from '../support/mail-servers.ts';

/* Invitations on their way through a real server: none is lost, and none is sent again once it was taken. */

let h: Harness;
let owner: TestUser;
let organizationId: string;
const logged: unknown[] = [];

beforeAll(async () => {
  h = await createHarness();
  await h.app.jobs.stop(); // the service's own runner would take the jobs of these tests
  const organization = await h.organization();
  [owner, organizationId] = [organization.owner, organization.id];
});
afterAll(() => h[Symbol.asyncDispose]());
beforeEach(async () => {
  await h.sql`delete from jobs`;
  h.clock.offset = 0;
  logged.length = 0;
});

function runnerOf(mailer: Mailer): JobRunner {
  const keep = (details: object) =>
    void logged.push(
      'err' in details && details.err instanceof Error && { ...details.err, text: details.err.stack },
    );
  return createJobRunner({ deps: h.app.deps, mailer }, { warn: keep, error: keep });
}
const bySmtp = (url: string) =>
  runnerOf(
    createSmtpMailer({ url, from: FROM, patience: { connect: 5_000, answer: 1_000, delivery: 20_000 } }),
  );
const jobs = () => h.sql`select id, attempts, failed_at, last_error, locked_until from jobs`;

const BACKOFF_S = [5, 30, 120, 600];
/** Runs the one job at the times of its backoff until it is done. @returns the errors on the way. */
async function errorsOnTheWay(runner: JobRunner): Promise<string[]> {
  const errors: string[] = [];
  for (;;) {
    await runner.runDue();
    const [job] = await jobs();
    if (job === undefined) return errors;
    errors.push(job.lastError);
    expect(job).toMatchObject({ attempts: errors.length, failedAt: null, lockedUntil: null });
    await runner.runDue();
    expect(await jobs(), 'not before its time').toEqual([job]);
    h.clock.advance((BACKOFF_S[errors.length - 1] ?? 0) * 1000);
  }
}

test('a mail survives a refusal, a stall and broken connections, and arrives once', async () => {
  const { email } = await invite(owner, organizationId);
  const [job] = await jobs();
  const troubles: Outcome[] = [refusal(451, 'come again'), 'stall', 'hang up', refusal(421, 'too busy')];
  const seen: unknown[] = [];
  const server = await smtpServer({}, (mail) => {
    seen.push(mail.messageId);
    return troubles.shift() ?? 'take';
  });
  const runner = bySmtp(server.url);
  expect(await errorsOnTheWay(runner)).toEqual([
    expect.stringContaining('451 come again'),
    expect.stringMatching(/timeout/i),
    expect.stringMatching(/closed|ECONNRESET/),
    expect.stringContaining('421 too busy'),
  ]);
  expect(seen, 'the same mail each time').toEqual(Array(5).fill(`<${job?.id}@tenantry>`));
  expect(server.received).toMatchObject([{ recipients: [email] }]);
  h.clock.advance(24 * 3_600_000);
  await runner.runDue();
  expect(server.received, 'not sent again').toHaveLength(1);
});

test('a mail that is refused for good is given up at once, and goes when an operator says so', async () => {
  await invite(owner, organizationId);
  let isKnown = false;
  const server = await smtpServer({
    onRcptTo: (_to, _session, done) => done(isKnown ? null : refusal(550, 'no such user')),
  });
  const runner = bySmtp(server.url);
  await runner.runDue();
  const [job] = await jobs();
  expect(job).toMatchObject({ attempts: 1, lastError: expect.stringContaining('550 no such user') });
  expect(job?.failedAt).toBeInstanceOf(Date);
  h.clock.advance(24 * 3_600_000);
  isKnown = true;
  await runner.runDue();
  expect(server.received).toEqual([]);

  expect(await retryFailedJobs(h.app.deps.db, h.app.deps.now())).toBe(1);
  await runner.runDue();
  expect(server.received).toMatchObject([{ mail: { messageId: `<${job?.id}@tenantry>` } }]);
  expect(await jobs()).toEqual([]);
});

test('neither a password nor the token of a mail is kept or logged', async () => {
  await invite(owner, organizationId);
  let isKnown = false;
  const server = await smtpServer(
    {
      authOptional: false,
      allowInsecureAuth: true,
      onAuth: ({ password = '' }, _session, done) =>
        isKnown ? done(null, { user: 'tenantry' }) : done(refusal(535, `wrong: ${password}`)),
    },
    ({ text = '' }) => refusal(451, `strange link ${text.replace(/\s+/g, ' ')}`),
  );
  const runner = bySmtp(server.url.replace('//', '//tenantry:s3cret-word@'));
  await runner.runDue();
  expect(await jobs()).toMatchObject([{ failedAt: null, lastError: expect.stringMatching(/535 wrong: …$/) }]);

  isKnown = true;
  h.clock.advance(6_000);
  await runner.runDue();
  const [job] = await jobs();
  expect(job?.lastError).toMatch(/451 strange link .*token=… The link works/);
  expect(logged).toHaveLength(2);
  expect(JSON.stringify([job, logged])).not.toMatch(/s3cret|token=[\w-]/);
});

test('Resend is asked again with the same key until it takes the mail', async () => {
  await invite(owner, organizationId);
  const [job] = await jobs();
  const answers = [429, 500, 200];
  const server = await resendServer((response) => {
    const statusCode = answers.shift() ?? 400;
    const reply =
      statusCode === 200 ? { id: 'e1' } : { statusCode, name: 'application_error', message: 'later' };
    response.writeHead(statusCode, { 'content-type': 'application/json' }).end(JSON.stringify(reply));
  });
  const runner = runnerOf(createResendMailer({ apiKey: 're_1', from: FROM, baseUrl: server.baseUrl }));
  expect(await errorsOnTheWay(runner)).toHaveLength(2);
  expect(server.requests.map(({ headers }) => headers['idempotency-key'])).toEqual(Array(3).fill(job?.id));
});
