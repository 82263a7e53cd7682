import { forbidden, notFound } from '../../kernel/errors.ts';
import type { Role } from '../../kernel/permissions.ts';
import { hashSecret } from '../../kernel/secrets.ts';
import type { Deps } from '../deps.ts';
import type { OrganizationActor, Principal } from '../principal.ts';
import type { Invitation } from './invite.ts';

/** Newest first. An open invitation whose time is over reads as expired. */
export function listInvitations(
  deps: Deps,
  actor: OrganizationActor,
  page: { limit: number; cursor: string | null },
): Promise<Invitation[]> {
  return deps.db.query(
    (sql) => sql<Invitation[]>`
      select id, organization_id, email, role, inviter_id, expires_at, created_at,
        case when status = 'pending' and expires_at <= ${deps.now()} then 'expired' else status end as status
      from invitations
      where organization_id = ${actor.organizationId} and (${page.cursor}::uuid is null or id < ${page.cursor})
      order by id desc
      limit ${page.limit}`,
  );
}

export type InvitationPreview = {
  id: string;
  organizationId: string;
  organizationName: string;
  email: string;
  role: Role;
  inviterName: string;
  expiresAt: Date;
};

/** What the holder of a token is invited to. Used, withdrawn and expired tokens answer like unknown ones. */
export async function previewInvitation(deps: Deps, token: string): Promise<InvitationPreview> {
  const [row] = await deps.db.query(
    (sql) => sql<InvitationPreview[]>`
      select i.id, i.organization_id, o.name as organization_name, i.email, i.role, u.name as inviter_name, i.expires_at
      from invitations i join organizations o on o.id = i.organization_id join users u on u.id = i.inviter_id
      where i.token_hash = ${hashSecret(token)} and i.status = 'pending' and i.expires_at > ${deps.now()}`,
  );
  if (row === undefined) throw notFound('Invitation');
  return row;
}

/** The open invitations of the caller's address. @throws FORBIDDEN while the address is not verified. */
export async function myInvitations(deps: Deps, principal: Principal): Promise<InvitationPreview[]> {
  requireVerified(principal.emailVerified);
  return deps.db.query(
    (sql) => sql<InvitationPreview[]>`
      select i.id, i.organization_id, o.name as organization_name, i.email, i.role, u.name as inviter_name, i.expires_at
      from invitations i join organizations o on o.id = i.organization_id join users u on u.id = i.inviter_id
      where i.email = ${principal.email} and i.status = 'pending' and i.expires_at > ${deps.now()}
      order by i.id desc
      limit 1000`,
  );
}

/** An unproved address opens nothing: anybody can sign up with it. */
export function requireVerified(emailVerified: boolean): void {
  if (!emailVerified) {
    throw forbidden(
      'email_not_verified',
      'Verify your e-mail address first, or use the link from the invitation.',
    );
  }
}
