import type { Transaction } from '../../db/client.ts';
import { conflict, forbidden, notFound, preconditionFailed } from '../../kernel/errors.ts';
import { newId } from '../../kernel/ids.ts';
import { can, mayGrant, type Role } from '../../kernel/permissions.ts';
import { hashSecret } from '../../kernel/secrets.ts';
import { type AuditActor, record } from '../audit/index.ts';
import type { Deps } from '../deps.ts';
import type { OwnMembership } from '../organization/index.ts';
import type { Principal } from '../principal.ts';
import { type LockedUser, lockUser } from '../user-lock.ts';
import type { Invitation } from './invite.ts';
import { requireVerified } from './read.ts';

/** The token from the mail, or the id for who has proved the address otherwise. */
export type InvitationKey = { token: string } | { invitationId: string };

/**
 * The open invitation that `key` names, with its organization held. Whatever does not open it answers alike, except
 * to who holds the token: he is told that it is for another address.
 */
async function lockInvitation(tx: Transaction, deps: Deps, user: LockedUser, key: InvitationKey) {
  const byToken = 'token' in key;
  const [named] = byToken
    ? await tx<{ id: string; organizationId: string }[]>`
        select id, organization_id from invitations where token_hash = ${hashSecret(key.token)}`
    : await tx<{ id: string; organizationId: string }[]>`
        select id, organization_id from invitations where id = ${key.invitationId} and email = ${user.email}`;
  if (named === undefined) throw notFound('Invitation');
  const [organization] = await tx<{ id: string; name: string; active: boolean }[]>`
    select id, name, active from organizations where id = ${named.organizationId} for no key update`;
  const [invitation] = await tx<Invitation[]>`
    select id, organization_id, email, role, status, inviter_id, expires_at, created_at
    from invitations where id = ${named.id} and status = 'pending' for update`;
  if (organization === undefined || invitation === undefined) throw notFound('Invitation');
  if (invitation.email !== user.email) {
    throw forbidden('invitation_for_another_address', 'This invitation is for another e-mail address.');
  }
  if (!byToken) requireVerified(user.emailVerified);
  if (invitation.expiresAt <= deps.now()) {
    throw preconditionFailed('invitation_expired', 'This invitation has expired. Ask for a new one.');
  }
  return { invitation, organization };
}

/** An inviter who may no longer invite to this role takes the invitation with him. */
async function requireInviter(tx: Transaction, invitation: Invitation): Promise<void> {
  const [inviter] = await tx<{ role: Role }[]>`
    select role from memberships
    where organization_id = ${invitation.organizationId} and user_id = ${invitation.inviterId}`;
  if (
    inviter === undefined ||
    !can(inviter.role, 'invitation:create') ||
    !mayGrant(inviter.role, invitation.role)
  ) {
    throw notFound('Invitation');
  }
}

async function join(
  tx: Transaction,
  deps: Deps,
  actor: AuditActor,
  user: LockedUser,
  key: InvitationKey,
): Promise<OwnMembership> {
  const { invitation, organization } = await lockInvitation(tx, deps, user, key);
  await requireInviter(tx, invitation);
  if (!organization.active) {
    throw preconditionFailed('organization_inactive', 'This organization is inactive.');
  }
  const now = deps.now();
  const [member] = await tx<OwnMembership[]>`
    insert into memberships (id, organization_id, user_id, role, is_default, created_at)
    select ${newId()}, ${organization.id}, ${user.id}, ${invitation.role},
      not exists (select 1 from memberships where user_id = ${user.id} and is_default), ${now}
    on conflict (user_id, organization_id) do nothing
    returning *`;
  if (member === undefined)
    throw conflict('already_member', 'You are a member of this organization already.');
  await tx`update invitations set status = 'accepted' where id = ${invitation.id}`;
  await record(tx, actor, now, {
    organizationId: organization.id,
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
    const { invitation } = await lockInvitation(tx, deps, user, key);
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
