import { SMTPServer } from 'smtp-server';
import { expect, test, vi } from 'vitest';
import { createSmtpMailer } from '../../src/platform/mail/smtp.ts';
import { newAddress } from '../api/stage.ts';
import { createHarness, times, UNLIMITED } from '../support/harness.ts';
import { faultRoundsOf, tell } from '../support/rounds.ts';
import { freePort } from '../support/service.ts';

const ROUNDS = faultRoundsOf(2);
const INVITATIONS = 20;
/** When an attempt that failed is made again for the first time. */
const AGAIN_MS = 5_000;
const SOON = { timeout: 20_000, interval: 10 };

/** A mail server at a port of its own, away until it is started. */
async function createMailServer() {
  const port = await freePort();
  const recipients: string[] = [];
  let running: SMTPServer | undefined;
  return {
    url: `smtp://127.0.0.1:${port}`,
    recipients,
    async start() {
      const server = new SMTPServer({
        authOptional: true,
        disabledCommands: ['STARTTLS'],
        closeTimeout: 1,
        onData: (stream, { envelope }, done) => {
          stream.resume().once('end', () => {
            recipients.push(...envelope.rcptTo.map(({ address }) => address));
            done();
          });
        },
      });
      await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
      running = server;
    },
    stop: () => new Promise<void>((resolve) => (running === undefined ? resolve() : running.close(resolve))),
  };
}

test('the mail server away and back: invitations are taken meanwhile, and each is delivered once', async () => {
  const server = await createMailServer();
  const mailer = createSmtpMailer({ url: server.url, from: 'Tenantry <no-reply@example.org>' });
  await using h = await createHarness({}, { mailer, rateLimiter: UNLIMITED });
  const { owner, id: organizationId } = await h.organization();
  const invited: string[] = [];
  const recoveries: number[] = [];
  for (const _round of times(ROUNDS, (n) => n)) {
    const addresses = times(INVITATIONS, newAddress);
    const replies = await Promise.all(
      addresses.map((email) =>
        owner.post('organization.inviteMember', { organizationId, email, role: 'member' }),
      ),
    );
    expect(new Set(replies.map(({ status }) => status))).toEqual(new Set([200]));
    invited.push(...addresses);
    const failed = async () =>
      expect(
        await h.sql`select 1 from jobs where last_error is not null and locked_until is null`,
      ).toHaveLength(INVITATIONS);
    await vi.waitFor(failed, SOON);
    await server.start();
    const back = performance.now();
    h.clock.advance(AGAIN_MS);
    await vi.waitFor(async () => expect(await h.sql`select 1 from jobs`).toEqual([]), SOON);
    recoveries.push(performance.now() - back);
    await server.stop();
  }
  const undelivered = invited.filter((email) => !server.recipients.includes(email));
  tell('Mail server away and back', {
    rounds: ROUNDS,
    requests: invited.length,
    lost: undelivered.length,
    'delivered twice': server.recipients.length - new Set(server.recipients).size,
    'slowest recovery in ms, from when the next attempt is due': Math.max(...recoveries),
  });
  expect(server.recipients.sort()).toEqual(invited.sort());
}, 600_000);
