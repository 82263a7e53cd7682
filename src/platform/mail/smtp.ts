import { createTransport } from 'nodemailer';
import { type Mailer, MailRefused } from '../../domain/mail.ts';
import { within } from '../../kernel/within.ts';
import { compose } from './compose.ts';
import { tokensOf, without } from './failure.ts';

/** In milliseconds: to connect and be greeted, for one answer, and for a whole delivery. */
type Patience = { connect: number; answer: number; delivery: number };

/** The whole stays well below the time that a job may take. */
const PATIENCE: Patience = { connect: 10_000, answer: 30_000, delivery: 60_000 };

/**
 * Whether the server refused this recipient or this message for good: RFC 5321, 4.2.1 asks not to send it again.
 * What is about us and an operator can mend is not final: connection, login, sender, and policy (530, 5.7.x).
 */
function isFinal(error: object): boolean {
  const { command, response } = error as { command?: unknown; response?: unknown };
  return (command === 'RCPT TO' || command === 'DATA') && /^5(?!30)\d\d(?![ -]5\.7\.)/.test(String(response));
}

/** The password of an SMTP address, as it stands there, as it is, and as LOGIN and PLAIN send it. */
function secretsOf(url: string): string[] {
  const { username, password } = new URL(url);
  const [user, plain] = [decodeURIComponent(username), decodeURIComponent(password)];
  if (plain === '') return [];
  const base64 = (text: string) => Buffer.from(text).toString('base64');
  return [base64(`\0${user}\0${plain}`), base64(plain), plain, password];
}

/** Delivers through the server that `url` (smtp:// or smtps://) names. `check` tells whether it would take mail. */
export function createSmtpMailer(options: { url: string; from: string; patience?: Patience }) {
  const { url, from, patience = PATIENCE } = options;
  const secrets = secretsOf(url);
  const transport = createTransport({
    url,
    connectionTimeout: patience.connect,
    greetingTimeout: patience.connect,
    socketTimeout: patience.answer,
  });

  /** The library's error has the whole conversation in it; ours has its message, and no secrets in that. */
  function failure(error: unknown, hidden: readonly string[]): unknown {
    if (!(error instanceof Error)) return error;
    const message = without(hidden, error.message || error.name);
    return isFinal(error) ? new MailRefused(message) : new Error(message);
  }

  const mailer: Mailer = {
    async send(mail) {
      const signal = AbortSignal.timeout(patience.delivery);
      try {
        await transport.sendMail({ ...compose(from, mail), signal });
      } catch (error) {
        if (signal.aborted)
          throw new Error(`The SMTP server did not take the mail in ${patience.delivery} ms.`);
        throw failure(error, [...secrets, ...tokensOf(mail)]);
      }
    },
  };
  return {
    ...mailer,
    async check(): Promise<void> {
      try {
        await within(patience.delivery, transport.verify());
      } catch (error) {
        throw failure(error, secrets);
      }
    },
  };
}
