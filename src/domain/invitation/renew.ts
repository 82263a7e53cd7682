import type { Transaction } from '../../db/client.ts';
import { conflict, notFound, preconditionFailed } from '../../kernel/errors.ts';
import { mayGrant } from '../../kernel/permissions.ts';
import { hashSecret } from '../../kernel/secrets.ts';
import { record } from '../audit/index.ts';
import type { Deps } from '../deps.ts';
import { findRole, notGrantable } from '../organization/index.ts';
import type { OrganizationActor } from '../principal.ts';
import { type Invitation, LIFETIME_MS } from './invitation.ts';
import { inviterRole, type Standing, stands } from './standing.ts';
import { invitationToken } from './token.ts';

type Row = Invitation & Standing & { tokenVersion: number; isMember: boolean };

export type Renewed = { invitation: Invitation; tokenVersion: number; token: string };

/**
 * Gives an open invitation a new token, for another 48 hours; the one before is dead at once. One that has expired is
 * open again. One whose inviter may no longer invite to its role becomes the actor's. Writes the audit row under
 * `action`; the caller holds the organization's row.
 *
 * @param requireDue rejects when it is too early
 * @throws NOT_FOUND for one of another organization; FORBIDDEN for a role above the actor's or with rights that he lacks;
 *   PRECONDITION_FAILED when it was answered, withdrawn or replaced; CONFLICT when its address belongs to a member.
 */
export async function renewInvitation(
  tx: Transaction,
  deps: Deps,
  actor: OrganizationActor,
  invitationId: string,
  action: string,
  requireDue: (invitation: Invitation, now: Date) => Promise<void> = async () => {},
): Promise<Renewed> {
  const { organizationId, principal } = actor;
  const [row] = await tx<Row[]>`
    select i.id, i.organization_id, i.email, i.role, i.status, i.inviter_id, i.expires_at, i.created_at,
      i.token_version, ${inviterRole(tx)} as inviter_role, exists (
        select 1 from memberships m join users u on u.id = m.user_id
        where m.organization_id = i.organization_id and u.email = i.email) as is_member
    from invitations i
    where i.id = ${invitationId} and i.organization_id = ${organizationId}`;
  if (row === undefined) throw notFound('Invitation');
  const { tokenVersion: version, inviterRole: _, isMember, ...before } = row;
  // The role of a closed one may be gone.
  const role = await findRole(tx, organizationId, before.role);
  if (role !== null && !mayGrant(actor.grant, role)) throw notGrantable('invite to');
  if (role === null || before.status !== 'pending') {
    throw preconditionFailed('invitation_closed', 'This invitation is closed. Invite the address anew.');
  }
  if (isMember) throw conflict('already_member', 'This address belongs to a member.');
  const now = deps.now();
  await requireDue(before, now);

  const tokenVersion = version + 1;
  const token = invitationToken(deps.rules, invitationId, tokenVersion);
  const inviterId = stands(row) ? before.inviterId : principal.userId;
  const expiresAt = new Date(now.getTime() + LIFETIME_MS);
  await tx`update invitations set ${tx({ inviterId, expiresAt, tokenVersion, tokenHash: hashSecret(token) })}
    where id = ${invitationId}`;
  await record(tx, principal, now, {
    organizationId,
    role: actor.role,
    action,
    resourceType: 'invitation',
    resourceId: invitationId,
    resourceName: before.email,
    before: { inviterId: before.inviterId, expiresAt: before.expiresAt },
    after: { inviterId, expiresAt },
  });
  return { invitation: { ...before, inviterId, expiresAt }, tokenVersion, token };
}
