import type { Mail } from '../../domain/mail.ts';

/** A mail in nodemailer's terms. The id becomes the Message-ID, so that a second copy is seen to be one. */
export const compose = (from: string, { id, to, subject, text, html }: Mail) => ({
  from,
  to,
  subject,
  text,
  html,
  messageId: `<${id}@tenantry>`,
});
