/** A mail ready to go. `id` is stable over retries, so that a delivery service can drop the second copy. */
export type Mail = { id: string; to: string; subject: string; text: string; html: string };

/** Takes a mail for delivery, or throws; the job that called it tries again. */
export type Mailer = { send(mail: Mail): Promise<void> };
