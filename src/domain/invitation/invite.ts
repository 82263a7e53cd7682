import type { Transaction } from '../../db/client.ts';
import type { invitations } from '../../db/schema/index.ts';
import { conflict, forbidden } from '../../kernel/errors.ts';
import { newId } from '../../kernel/ids.ts';
import { mayGrant, type Role } from '../../kernel/permissions.ts';
import { hashSecret } from '../../kernel/secrets.ts';
import { record } from '../audit/index.ts';
import type { Deps } from '../deps.ts';
import { enqueue } from '../job/index.ts';
import { inOrganization } from '../organization/index.ts';
import type { OrganizationActor } from '../principal.ts';
import { inviterRole, type Standing, stands } from './standing.ts';
import { invitationToken } from './token.ts';

const LIFETIME_MS = 48 * 60 * 60 * 1000;

export type Invitation = Omit<typeof invitations.$inferSelect, 'tokenHash' | 'tokenVersion'>;

/** Makes room for a new invitation: one that has expired, or that its inviter could not make now, is closed. */
async function closeSpent(tx: Transaction, organizationId: string, email: string, now: Date): Promise<void> {
  const [open] = await tx<(Standing & { id: string; expiresAt: Date })[]>`
    select i.id, i.role, i.expires_at, ${inviterRole(tx)} as inviter_role
    from invitations i where i.organization_id = ${organizationId} and i.email = ${email} and i.status = 'pending'`;
  if (open === undefined) return;
  if (open.expiresAt > now && stands(open)) {
    throw conflict('already_invited', 'This address already has an open invitation.', 'email');
  }
  const status = open.expiresAt > now ? 'canceled' : 'expired';
  await tx`update invitations set status = ${status} where id = ${open.id}`;
}

/**
 * Invites an address and has the mail sent. Without a role it is the organization's default one, or member.
 *
 * @throws CONFLICT when the address has an open invitation or belongs to a member; FORBIDDEN for a role that holds
 *   rights the actor lacks.
 */
export function inviteMember(
  deps: Deps,
  actor: OrganizationActor,
  input: { email: string; role?: Role | undefined },
): Promise<Invitation> {
  return inOrganization(deps, actor, async (tx, organization, current) => {
    const role = input.role ?? organization.defaultRole ?? 'member';
    if (!mayGrant(current.role, role)) {
      throw forbidden('role_not_grantable', 'You cannot invite to a role with rights that you lack.');
    }
    const [member] = await tx`
      select 1 from memberships m join users u on u.id = m.user_id
      where m.organization_id = ${organization.id} and u.email = ${input.email}`;
    if (member !== undefined) throw conflict('already_member', 'This address belongs to a member.', 'email');

    const now = deps.now();
    await closeSpent(tx, organization.id, input.email, now);
    const invitation: Invitation = {
      id: newId(),
      organizationId: organization.id,
      email: input.email,
      role,
      status: 'pending',
      inviterId: current.principal.userId,
      expiresAt: new Date(now.getTime() + LIFETIME_MS),
      createdAt: now,
    };
    const tokenVersion = 1;
    const tokenHash = hashSecret(invitationToken(deps.rules, invitation.id, tokenVersion));
    await tx`insert into invitations ${tx({ ...invitation, tokenHash, tokenVersion })}`;
    await record(tx, current.principal, now, {
      organizationId: organization.id,
      role: current.role,
      action: 'create',
      resourceType: 'invitation',
      resourceId: invitation.id,
      resourceName: invitation.email,
      after: { email: invitation.email, role, expiresAt: invitation.expiresAt },
    });
    await enqueue(tx, 'mail.invitation', { invitationId: invitation.id, tokenVersion }, now);
    return invitation;
  });
}
