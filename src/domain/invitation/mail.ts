import { readableMoment, renderMail } from '../../kernel/mail-text.ts';
import type { Deps } from '../deps.ts';
import type { JobPayloads } from '../job/index.ts';
import type { Mail } from '../mail.ts';
import { inviterRole, type Standing, stands } from './standing.ts';
import { invitationToken, invitationUrl } from './token.ts';

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
  const link = invitationUrl(deps.rules, invitationToken(deps.rules, invitationId, tokenVersion));
  return {
    id: mailId,
    to: row.email,
    ...renderMail({
      subject: `Invitation to ${row.organization}`,
      paragraphs: ['Hello,', `${row.inviter} invites you to join ${row.organization} as ${row.role}.`],
      action: { label: 'See the invitation', url: link },
      note: `The link works once, until ${readableMoment(row.expiresAt)}, and only for ${row.email}. If you did not expect it, ignore this mail: nothing changes.`,
    }),
  };
}
