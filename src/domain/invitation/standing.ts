import type { Sql } from '../../db/client.ts';
import { mayInvite, type Permission, type Role, roleOf } from '../../kernel/permissions.ts';

/** The inviter's role; `permissions` and `invited` are what it and the role invited to are made of, if custom. */
type InviterRole = { name: Role; permissions: Permission[] | null; invited: Permission[] | null };
export type Standing = { role: Role; inviterRole: InviterRole | null };

/**
 * The inviter's role at this moment, in a statement about `invitations i`; null for who is no member any more, or is
 * suspended.
 */
export const inviterRole = (sql: Sql) => sql`(
  select jsonb_build_object('name', m.role, 'permissions', own.permissions, 'invited', invited.permissions)
  from memberships m join users u on u.id = m.user_id and u.suspended_at is null
    left join custom_roles own on own.organization_id = m.organization_id and own.name = m.custom_role
    left join custom_roles invited on invited.organization_id = i.organization_id and invited.name = i.custom_role
  where m.organization_id = i.organization_id and m.user_id = i.inviter_id)`;

/** An inviter who may no longer invite to the role takes the invitation with him. */
export const stands = ({ role, inviterRole: inviter }: Standing): boolean =>
  inviter !== null && mayInvite(roleOf(inviter.name, inviter.permissions), roleOf(role, inviter.invited));
