/** A mail ready to go. `id` is stable over retries, so that a delivery service can drop the second copy. */
export type Mail = { id: string; to: string; subject: string; text: string; html: string };

/**
 * Takes a mail for delivery, or throws; the job that called it tries again. What it throws is kept and shown to the
 * operator: it holds no credentials and no token of the mail.
 */
export type Mailer = { send(mail: Mail): Promise<void> };

/** The other side refused this very mail and would refuse it again: trying again would only annoy. */
export class MailRefused extends Error {
  override name = 'MailRefused';
}
