import { record } from '../audit/index.ts';
import type { Deps, RateLimiter } from '../deps.ts';
import { inOrganization } from '../organization/index.ts';
import type { OrganizationActor } from '../principal.ts';
import type { Invitation } from './invitation.ts';
import { type Outcome, openInvitations, type Wanted } from './open.ts';

/**
 * Invites an address and has the mail sent. Without a role it is the organization's default one, or member.
 *
 * @throws CONFLICT when the address has an open invitation or belongs to a member; FORBIDDEN for a role above the
 *   actor's or with rights that he lacks; TOO_MANY_REQUESTS when the address was sent too many.
 */
export function inviteMember(
  deps: Deps,
  actor: OrganizationActor,
  input: Wanted,
  limiter: RateLimiter,
): Promise<Invitation> {
  return inOrganization(deps, actor, async (tx, organization, current) => {
    const [outcome] = await openInvitations(tx, deps, organization, current, [input], limiter);
    if (outcome === undefined) throw new Error('One address has one outcome.');
    if ('refusal' in outcome) throw outcome.refusal;
    const { id, email, role, expiresAt, createdAt } = outcome.invitation;
    await record(tx, current.principal, createdAt, {
      organizationId: organization.id,
      role: current.role,
      action: 'create',
      resourceType: 'invitation',
      resourceId: id,
      resourceName: email,
      after: { email, role, expiresAt },
    });
    return outcome.invitation;
  });
}

/**
 * Invites many addresses in one transaction. Each has an outcome of its own, in the order of `wanted`: what keeps one
 * from being invited keeps no other. The trail has one row, which names all that were invited; none when nobody was.
 */
export function inviteMembers(
  deps: Deps,
  actor: OrganizationActor,
  wanted: Wanted[],
  limiter: RateLimiter,
): Promise<Outcome[]> {
  return inOrganization(deps, actor, async (tx, organization, current) => {
    const outcomes = await openInvitations(tx, deps, organization, current, wanted, limiter);
    const opened = outcomes.flatMap((outcome) => ('invitation' in outcome ? [outcome.invitation] : []));
    if (opened.length > 0) {
      await record(tx, current.principal, deps.now(), {
        organizationId: organization.id,
        role: current.role,
        action: 'createMany',
        resourceType: 'invitation',
        resourceId: organization.id,
        resourceName: organization.name,
        after: { invitations: opened.map(({ id, email, role }) => ({ id, email, role })) },
      });
    }
    return outcomes;
  });
}
