import { MAX } from 'uuid';
import type { Sql } from '../../db/client.ts';
import { forbidden, notFound } from '../../kernel/errors.ts';
import { type Page, takePage } from '../../kernel/pagination.ts';
import type { Role } from '../../kernel/permissions.ts';
import { hashSecret } from '../../kernel/secrets.ts';
import type { Deps } from '../deps.ts';
import type { OrganizationActor, Principal } from '../principal.ts';
import type { Invitation } from './invitation.ts';
import { inviterRole, type Standing, stands } from './standing.ts';

/** Newest first. One that nobody could accept any more reads as expired, or as canceled where its inviter is why. */
export async function listInvitations(
  deps: Deps,
  actor: OrganizationActor,
  page: { limit: number; cursor: string | null },
): Promise<Invitation[]> {
  const now = deps.now();
  const rows = await deps.db.query(
    (sql) => sql<(Invitation & Standing)[]>`
      select i.id, i.organization_id, i.email, i.role, i.status, i.inviter_id, i.expires_at, i.created_at,
        ${inviterRole(sql)} as inviter_role
      from invitations i
      where i.organization_id = ${actor.organizationId} and i.id < ${page.cursor ?? MAX}
      order by i.id desc
      limit ${page.limit}`,
  );
  return rows.map((row) => ({
    id: row.id,
    organizationId: row.organizationId,
    email: row.email,
    role: row.role,
    status: statusAt(now, row),
    inviterId: row.inviterId,
    expiresAt: row.expiresAt,
    createdAt: row.createdAt,
  }));
}

function statusAt(now: Date, invitation: Invitation & Standing): Invitation['status'] {
  if (invitation.status !== 'pending') return invitation.status;
  if (invitation.expiresAt <= now) return 'expired';
  return stands(invitation) ? 'pending' : 'canceled';
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

export type OpenInvitation = InvitationPreview & { status: 'pending'; inviterId: string; createdAt: Date };

type PageOf = { limit: number; cursor: string | null };

/**
 * The invitations that `condition` names and somebody could accept at `now`, newest first. Those that fell with their
 * inviter's right are left out of a page: it can have less than `limit`, and more can follow.
 */
async function openInvitations(
  sql: Sql,
  now: Date,
  condition: ReturnType<Sql>,
  { limit, cursor }: PageOf,
): Promise<Page<OpenInvitation>> {
  const rows = await sql<(OpenInvitation & Standing)[]>`
    select i.id, i.organization_id, o.name as organization_name, i.email, i.role, u.name as inviter_name, i.expires_at,
      i.status, i.inviter_id, i.created_at, ${inviterRole(sql)} as inviter_role
    from invitations i join organizations o on o.id = i.organization_id join users u on u.id = i.inviter_id
    where ${condition} and i.status = 'pending' and i.expires_at > ${now} and i.id < ${cursor ?? MAX}
    order by i.id desc
    limit ${limit + 1}`;
  const { items, nextCursor } = takePage(rows, limit);
  return { items: items.filter(stands), nextCursor };
}

/** What the holder of a token is invited to. Used, withdrawn and expired tokens answer like unknown ones. */
export async function previewInvitation(deps: Deps, token: string): Promise<InvitationPreview> {
  const { items } = await deps.db.query((sql) =>
    openInvitations(sql, deps.now(), sql`i.token_hash = ${hashSecret(token)}`, { limit: 1, cursor: null }),
  );
  const [invitation] = items;
  if (invitation === undefined) throw notFound('Invitation');
  return invitation;
}

/** The open invitations of the caller's address. @throws FORBIDDEN while the address is not verified. */
export async function myInvitations(
  deps: Deps,
  principal: Principal,
  page: PageOf,
): Promise<Page<OpenInvitation>> {
  requireVerified(principal.emailVerified);
  return deps.db.query((sql) => openInvitations(sql, deps.now(), sql`i.email = ${principal.email}`, page));
}

/** The open invitations that the caller has sent. */
export const sentInvitations = (
  deps: Deps,
  principal: Principal,
  page: PageOf,
): Promise<Page<OpenInvitation>> =>
  deps.db.query((sql) => openInvitations(sql, deps.now(), sql`i.inviter_id = ${principal.userId}`, page));

/** An unproved address opens nothing: anybody can sign up with it. */
export function requireVerified(emailVerified: boolean): void {
  if (!emailVerified) {
    throw forbidden(
      'email_not_verified',
      'Verify your e-mail address first, or use the link from the invitation.',
    );
  }
}
