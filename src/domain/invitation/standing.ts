import type { Sql } from '../../db/client.ts';
import { mayInvite, type Role } from '../../kernel/permissions.ts';

export type Standing = { role: Role; inviterRole: Role | null };

/** The inviter's role at this moment, in a statement about `invitations i`; null for who is no member any more. */
export const inviterRole = (sql: Sql) => sql`(
  select m.role from memberships m where m.organization_id = i.organization_id and m.user_id = i.inviter_id)`;

/** An inviter who may no longer invite to the role takes the invitation with him. */
export const stands = (invitation: Standing): boolean =>
  invitation.inviterRole !== null && mayInvite(invitation.inviterRole, invitation.role);
