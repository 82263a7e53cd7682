import { type ErrorResponse, Resend } from 'resend';
import { type Mailer, MailRefused } from '../../domain/mail.ts';
import { HEADERS } from './compose.ts';
import { tokensOf, without } from './failure.ts';

const PATIENCE_MS = 30_000;

/** Whether Resend refused this very mail. A sender that it does not know can be mended in the settings. */
const isFinal = ({ statusCode, name }: ErrorResponse): boolean =>
  (statusCode === 400 || statusCode === 422) && name !== 'invalid_from_address';

/**
 * Delivers through Resend. The mail's id is its idempotency key, which Resend remembers for a day: a retry is not a
 * second mail. The library waits for ever, so that the time of a delivery is bounded here.
 */
export function createResendMailer(options: {
  apiKey: string;
  from: string;
  baseUrl?: string;
  patienceMs?: number;
}): Mailer {
  const { apiKey, from, baseUrl, patienceMs = PATIENCE_MS } = options;
  const resend = new Resend(apiKey, baseUrl === undefined ? {} : { baseUrl });
  return {
    async send(mail) {
      const { id, to, subject, text, html } = mail;
      const signal = AbortSignal.timeout(patienceMs);
      const { data, error } = await resend.emails.send(
        { from, to, subject, text, html, headers: HEADERS },
        { idempotencyKey: id, signal },
      );
      if (data !== null) return;
      const reason = signal.aborted
        ? `no answer in ${patienceMs} ms`
        : `${error?.name ?? 'unknown'}: ${error?.message ?? 'an answer without a reason'}`;
      const message = without([apiKey, ...tokensOf(mail)], `Resend did not take the mail: ${reason}`);
      throw error !== null && isFinal(error) ? new MailRefused(message) : new Error(message);
    },
  };
}
