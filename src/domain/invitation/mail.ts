import type { Deps } from '../deps.ts';
import type { JobPayloads } from '../job/index.ts';
import type { Mail } from '../mail.ts';
import { inviterRole, type Standing, stands } from './standing.ts';
import { invitationToken } from './token.ts';

const escapeHtml = (text: string): string =>
  text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);

/** The mail of an invitation; undefined when nobody could accept it, or a newer token was made since. */
export async function invitationMail(
  deps: Deps,
  mailId: string,
  { invitationId, tokenVersion }: JobPayloads['mail.invitation'],
): Promise<Mail | undefined> {
  type Row = Standing & { email: string; expiresAt: Date; organization: string; inviter: string };
  const [row] = await deps.db.query(
    (sql) => sql<Row[]>`
      select i.email, i.role, i.expires_at, o.name as organization, u.name as inviter, ${inviterRole(sql)} as inviter_role
      from invitations i join organizations o on o.id = i.organization_id join users u on u.id = i.inviter_id
      where i.id = ${invitationId} and i.token_version = ${tokenVersion} and i.status = 'pending'
        and i.expires_at > ${deps.now()}`,
  );
  if (row === undefined || !stands(row)) return undefined;
  const link = `${deps.rules.publicUrl}/invitation?token=${invitationToken(deps.rules, invitationId, tokenVersion)}`;
  const until = `${row.expiresAt.toISOString().slice(0, 16).replace('T', ' ')} UTC`;
  const invites = `${row.inviter} invites you to join ${row.organization} as ${row.role}.`;
  const note = `The link works until ${until}, once, for ${row.email} only. If you did not expect this, ignore it.`;
  return {
    id: mailId,
    to: row.email,
    subject: `Invitation to ${row.organization}`.replace(/\s+/g, ' '),
    text: `${invites}\n\n${link}\n\n${note}\n`,
    html: `<p>${escapeHtml(invites)}</p><p><a href="${link}">Answer the invitation</a></p><p>${escapeHtml(note)}</p>`,
  };
}
