import type { Transaction } from '../../db/client.ts';
import { conflict, forbidden, notFound, preconditionFailed } from '../../kernel/errors.ts';
import { newId } from '../../kernel/ids.ts';
import { hashSecret } from '../../kernel/secrets.ts';
import { type AuditActor, record } from '../audit/index.ts';
import type { Deps } from '../deps.ts';
import { type OwnMembership, requireActive } from '../organization/index.ts';
import type { Principal } from '../principal.ts';
import { type LockedUser, lockUser } from '../user-lock.ts';
import type { Invitation } from './invitation.ts';
import { requireVerified } from './read.ts';
import { inviterRole, type Standing, stands } from './standing.ts';

/** The token from the mail, or the id for who has proved the address otherwise. */
export type InvitationKey = { token: string } | { invitationId: string };

type OpenInvitation = Pick<Invitation, 'id' | 'organizationId' | 'email' | 'role' | 'expiresAt'>;

/**
 * The open invitation that `key` names, with its organization held. Whatever does not open it answers alike, except
 * to who holds the token: he is told that it is for another address.
 */
async function lockInvitation(
  tx: Transaction,
  deps: Deps,
  user: LockedUser,
  key: InvitationKey,
): Promise<OpenInvitation> {
  const byToken = 'token' in key;
  if (!byToken) requireVerified(user.emailVerified);
  const [named] = byToken
    ? await tx<{ id: string; organizationId: string }[]>`
        select id, organization_id from invitations where token_hash = ${hashSecret(key.token)}`
    : await tx<{ id: string; organizationId: string }[]>`
        select id, organization_id from invitations where id = ${key.invitationId} and email = ${user.email}`;
  if (named === undefined) throw notFound('Invitation');
  const [organization] = await tx<{ active: boolean }[]>`
    select active from organizations where id = ${named.organizationId} for no key update`;
  const [invitation] = await tx<(OpenInvitation & Standing)[]>`
    select i.id, i.organization_id, i.email, i.role, i.expires_at, ${inviterRole(tx)} as inviter_role
    from invitations i where i.id = ${named.id} and i.status = 'pending' for update of i`;
  if (organization === undefined || invitation === undefined || !stands(invitation)) {
    throw notFound('Invitation');
  }
  if (invitation.email !== user.email) {
    throw forbidden('invitation_for_another_address', 'This invitation is for another e-mail address.');
  }
  requireActive(organization);
  if (invitation.expiresAt <= deps.now()) {
    throw preconditionFailed('invitation_expired', 'This invitation has expired. Ask for a new one.');
  }
  return invitation;
}

async function join(
  tx: Transaction,
  deps: Deps,
  actor: AuditActor,
  user: LockedUser,
  key: InvitationKey,
): Promise<OwnMembership> {
  const invitation = await lockInvitation(tx, deps, user, key);
  const now = deps.now();
  const [member] = await tx<OwnMembership[]>`
    insert into memberships (id, organization_id, user_id, role, is_default, created_at)
    select ${newId()}, ${invitation.organizationId}, ${user.id}, ${invitation.role},
      not exists (select 1 from memberships where user_id = ${user.id}), ${now}
    on conflict (user_id, organization_id) do nothing
    returning *`;
  if (member === undefined)
    throw conflict('already_member', 'You are a member of this organization already.');
  await tx`update invitations set status = 'accepted' where id = ${invitation.id}`;
  await record(tx, actor, now, {
    organizationId: invitation.organizationId,
    role: invitation.role,
    action: 'accept',
    resourceType: 'invitation',
    resourceId: invitation.id,
    resourceName: invitation.email,
    after: { memberId: member.id, role: invitation.role },
  });
  return member;
}

/**
 * Makes the caller a member.
 *
 * @throws NOT_FOUND for what is not an open invitation of the caller; FORBIDDEN by id while the caller's address is
 *   not verified, and by a token for another address; PRECONDITION_FAILED when it has expired or the organization is
 *   inactive; CONFLICT when the caller is a member already.
 */
export function acceptInvitation(
  deps: Deps,
  principal: Principal,
  key: InvitationKey,
): Promise<OwnMembership> {
  return deps.db.transaction(async (tx) =>
    join(tx, deps, principal, await lockUser(tx, principal.userId), key),
  );
}

/** The same for an account that is being registered in this transaction. */
export const joinByToken = (
  tx: Transaction,
  deps: Deps,
  actor: AuditActor,
  user: LockedUser,
  token: string,
): Promise<OwnMembership> => join(tx, deps, actor, user, { token });

/** Turns an invitation down. @throws as acceptInvitation. */
export function rejectInvitation(deps: Deps, principal: Principal, key: InvitationKey): Promise<void> {
  return deps.db.transaction(async (tx) => {
    const user = await lockUser(tx, principal.userId);
    const invitation = await lockInvitation(tx, deps, user, key);
    await tx`update invitations set status = 'rejected' where id = ${invitation.id}`;
    await record(tx, principal, deps.now(), {
      organizationId: invitation.organizationId,
      action: 'reject',
      resourceType: 'invitation',
      resourceId: invitation.id,
      resourceName: invitation.email,
    });
  });
}
