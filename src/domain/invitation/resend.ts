import { tooManyRequests } from '../../kernel/errors.ts';
import type { Deps, RateLimiter } from '../deps.ts';
import { enqueue } from '../job/index.ts';
import { inOrganization } from '../organization/index.ts';
import type { OrganizationActor } from '../principal.ts';
import { type Invitation, LIFETIME_MS } from './invitation.ts';
import { mailRefusal } from './mail-limit.ts';
import { renewInvitation } from './renew.ts';
import { invitationUrl } from './token.ts';

const COOLDOWN_MS = 60_000;

/** An invitation is open for a fixed time after its newest link was made, so that moment is known. */
function requireCooledDown(invitation: Invitation, now: Date): void {
  const wait = invitation.expiresAt.getTime() - LIFETIME_MS + COOLDOWN_MS - now.getTime();
  if (wait <= 0) return;
  const seconds = Math.ceil(wait / 1000);
  throw tooManyRequests(
    'resend_cooldown',
    `Its link has just been made. Try again in ${seconds} s.`,
    seconds,
  );
}

/**
 * Sends an invitation's mail again with a new link.
 *
 * @throws what `renewInvitation` throws; TOO_MANY_REQUESTS within 60 seconds of its last link, and when the address was
 *   sent too many.
 */
export function resendInvitation(
  deps: Deps,
  actor: OrganizationActor,
  invitationId: string,
  limiter: RateLimiter,
): Promise<Invitation> {
  const requireDue = async (invitation: Invitation, now: Date) => {
    requireCooledDown(invitation, now);
    const refusal = await mailRefusal(limiter, actor.principal.userId, invitation.email);
    if (refusal !== undefined) throw refusal;
  };
  return inOrganization(deps, actor, async (tx, _, current) => {
    const renewed = await renewInvitation(tx, deps, current, invitationId, 'resend', requireDue);
    const { invitation, tokenVersion } = renewed;
    await enqueue(tx, 'mail.invitation', { invitationId, tokenVersion }, deps.now());
    return invitation;
  });
}

/**
 * The same as Dokploy has it, where inviting sends no mail and this call follows at once: the mail that is on its way to
 * whom the caller has just invited is the one that is asked for.
 */
export async function sendInvitation(
  deps: Deps,
  actor: OrganizationActor,
  invitationId: string,
  limiter: RateLimiter,
): Promise<Invitation> {
  const fresh = new Date(deps.now().getTime() - COOLDOWN_MS + LIFETIME_MS);
  const [underWay] = await deps.db.query(
    (sql) => sql<Invitation[]>`
      select id, organization_id, email, role, status, inviter_id, expires_at, created_at from invitations
      where id = ${invitationId} and organization_id = ${actor.organizationId} and status = 'pending'
        and inviter_id = ${actor.principal.userId} and token_version = 1 and expires_at > ${fresh}`,
  );
  return underWay ?? resendInvitation(deps, actor, invitationId, limiter);
}

/**
 * A new link for the actor to hand over; no mail is sent, and one that is still waiting to leave is not any more. It
 * opens the invitation for its address only, and proves nothing about who has that address.
 *
 * @throws what `renewInvitation` throws
 */
export function invitationLink(
  deps: Deps,
  actor: OrganizationActor,
  invitationId: string,
): Promise<{ url: string; expiresAt: Date }> {
  return inOrganization(deps, actor, async (tx, _, current) => {
    const { invitation, token } = await renewInvitation(tx, deps, current, invitationId, 'link');
    return { url: invitationUrl(deps.rules, token), expiresAt: invitation.expiresAt };
  });
}
