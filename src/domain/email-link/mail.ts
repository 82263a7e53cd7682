import { type MailText, readableMoment, renderMail } from '../../kernel/mail-text.ts';
import type { Deps } from '../deps.ts';
import type { JobPayloads } from '../job/index.ts';
import type { Mail } from '../mail.ts';
import { emailToken, type Purpose } from './issue.ts';

type Action = { label: string; path: string };
type Link = { purpose: Purpose; email: string; expiresAt: Date };

/** No names here: anybody can sign up with a name of his own and the address of a stranger. */
const TEXT: Record<Purpose, (email: string) => Omit<MailText, 'action' | 'note'> & Action> = {
  verify: (email) => ({
    subject: 'Confirm your e-mail address',
    paragraphs: ['Hello,', `please confirm that ${email} is your address, so that your account can use it.`],
    label: 'Confirm the address',
    path: 'verify-email',
  }),
  change: (email) => ({
    subject: 'Confirm your new e-mail address',
    paragraphs: [
      'Hello,',
      `you asked to use ${email} for your account from now on. Please confirm that this address is yours.`,
    ],
    label: 'Use this address',
    path: 'verify-email',
  }),
  reset: (email) => ({
    subject: 'Choose a new password',
    paragraphs: [
      'Hello,',
      `somebody, hopefully you, asked to choose a new password for the account of ${email}.`,
    ],
    label: 'Choose a new password',
    path: 'reset-password',
  }),
};

/** The mail of a link; undefined when the link was used, replaced or ran out meanwhile. */
export async function linkMail(
  deps: Deps,
  mailId: string,
  { tokenId }: JobPayloads['mail.link'],
): Promise<Mail | undefined> {
  const [link] = await deps.db.query(
    (sql) => sql<Link[]>`
      select purpose, email, expires_at from email_tokens
      where id = ${tokenId} and expires_at > ${deps.now()}`,
  );
  if (link === undefined) return undefined;
  const { label, path, ...text } = TEXT[link.purpose](link.email);
  const url = `${deps.rules.publicUrl}/${path}?token=${emailToken(deps.rules, tokenId)}`;
  return {
    id: mailId,
    to: link.email,
    ...renderMail({
      ...text,
      action: { label, url },
      note: `The link works once, until ${readableMoment(link.expiresAt)}. If you did not ask for it, ignore this mail: nothing changes.`,
    }),
  };
}
