import { Resend } from 'resend';
import type { Mailer } from '../../domain/mail.ts';

/** Delivers through Resend. The mail's id is its idempotency key: a retry is not a second mail. */
export function createResendMailer(options: { apiKey: string; from: string; baseUrl?: string }): Mailer {
  const { apiKey, baseUrl } = options;
  const resend = new Resend(apiKey, baseUrl === undefined ? {} : { baseUrl });
  return {
    async send({ id, to, subject, text, html }) {
      const { error } = await resend.emails.send(
        { from: options.from, to, subject, text, html },
        { idempotencyKey: id },
      );
      if (error !== null) throw new Error(`Resend refused the mail: ${error.name}: ${error.message}`);
    },
  };
}
