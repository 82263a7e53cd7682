import { createTransport } from 'nodemailer';
import type { Mailer } from '../../domain/mail.ts';
import { compose } from './compose.ts';

/** Delivers through the server that `url` (smtp:// or smtps://) names. `check` tells whether it would take mail. */
export function createSmtpMailer(options: { url: string; from: string }) {
  const transport = createTransport({
    url: options.url,
    connectionTimeout: 10_000,
    greetingTimeout: 10_000,
    socketTimeout: 20_000,
  });
  const mailer: Mailer = {
    async send(mail) {
      await transport.sendMail(compose(options.from, mail));
    },
  };
  return { ...mailer, check: () => transport.verify() };
}
