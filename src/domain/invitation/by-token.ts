import { notFound } from '../../kernel/errors.ts';
import { hashSecret } from '../../kernel/secrets.ts';
import type { Deps } from '../deps.ts';
import type { OpenInvitation } from './read.ts';
import { inviterRole, type Standing, stands } from './standing.ts';

export type TokenHolder = OpenInvitation & {
  /** It can be sent again, not accepted. */
  isExpired: boolean;
  /** Whether the invited address has an account; a registration with it would tell as much. */
  userAlreadyExists: boolean;
};

/** What a token invites to, and whom. @throws NOT_FOUND for used, withdrawn, replaced and unknown tokens alike. */
export async function invitationByToken(deps: Deps, token: string): Promise<TokenHolder> {
  const [row] = await deps.db.query(
    (sql) => sql<(TokenHolder & Standing)[]>`
      select i.id, i.organization_id, o.name as organization_name, i.email, i.role, u.name as inviter_name, i.expires_at,
        i.status, i.inviter_id, i.created_at, i.expires_at <= ${deps.now()} as is_expired,
        exists (select 1 from users where email = i.email) as user_already_exists, ${inviterRole(sql)} as inviter_role
      from invitations i join organizations o on o.id = i.organization_id join users u on u.id = i.inviter_id
      where i.token_hash = ${hashSecret(token)} and i.status = 'pending'`,
  );
  if (row === undefined || !stands(row)) throw notFound('Invitation');
  return row;
}
