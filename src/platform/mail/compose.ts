import type { Mail } from '../../domain/mail.ts';

/** Says that a program wrote the mail, so that no other program answers it (RFC 3834). */
export const HEADERS = { 'Auto-Submitted': 'auto-generated' };

/**
 * A mail in nodemailer's terms. The id becomes the Message-ID, so that a second copy is seen to be one. The recipient
 * is an object because text would be read as a list of recipients.
 */
export const compose = (from: string, { id, to, subject, text, html }: Mail) => ({
  from,
  to: { name: '', address: to },
  subject,
  text,
  html,
  messageId: `<${id}@tenantry>`,
  headers: HEADERS,
});
