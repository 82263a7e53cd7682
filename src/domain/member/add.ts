import { beyondWall } from '../../db/wall.ts';
import { conflict, notFound } from '../../kernel/errors.ts';
import { newId } from '../../kernel/ids.ts';
import { canOnPlatform } from '../../kernel/permissions.ts';
import { record } from '../audit/index.ts';
import type { Deps, RateLimiter } from '../deps.ts';
import { type Invitation, inviteMember, type Wanted } from '../invitation/index.ts';
import { inOrganization, type OwnMembership, requireGrantable } from '../organization/index.ts';
import { isLimited, type OrganizationActor } from '../principal.ts';

/** An account that has proved its address and may sign in; its id. */
async function accountOf(deps: Deps, email: string): Promise<string | undefined> {
  const [account] = await deps.db.query(
    (sql) => sql<{ id: string }[]>`
      select id from users where email = ${email} and email_verified and suspended_at is null`,
  );
  return account?.id;
}

/** Makes an account a member without asking its holder. @throws as `addMember`; NOT_FOUND when it is just gone. */
function addAccount(
  deps: Deps,
  actor: OrganizationActor,
  userId: string,
  { email, role: wanted }: Wanted,
): Promise<OwnMembership> {
  return inOrganization(
    deps,
    actor,
    async (tx, organization, current) => {
      const role = wanted ?? organization.defaultRole ?? 'member';
      await requireGrantable(tx, organization.id, current.grant, role);
      const organizationId = organization.id;
      const now = deps.now();
      const elsewhere = await beyondWall(
        tx,
        () => tx`select 1 from memberships where user_id = ${userId} limit 1`,
      );
      const isDefault = elsewhere.length === 0;
      const [member] = await tx<OwnMembership[]>`
        insert into memberships (id, organization_id, user_id, role, is_default, created_at)
        values (${newId()}, ${organizationId}, ${userId}, ${role}, ${isDefault}, ${now})
        on conflict (user_id, organization_id) do nothing
        returning *`;
      if (member === undefined) {
        throw conflict('already_member', 'This address belongs to a member.', 'email');
      }
      await tx`update invitations set status = 'canceled'
        where organization_id = ${organizationId} and email = ${email} and status = 'pending'`;
      await record(tx, current.principal, now, {
        organizationId,
        role: current.role,
        action: 'create',
        resourceType: 'member',
        resourceId: member.id,
        resourceName: email,
        after: { userId, role },
      });
      return member;
    },
    {
      async before(tx) {
        const held = await tx`
          select 1 from users where id = ${userId} and email = ${email} and email_verified
            and suspended_at is null for no key update`;
        if (held.length === 0) throw notFound('User');
      },
    },
  );
}

/**
 * Brings a person into the organization: by an invitation, which is the person's to accept. Platform staff, who vouch
 * for the installation, make an account with a proved address a member at once.
 *
 * @throws CONFLICT when the address belongs to a member or has an open invitation; FORBIDDEN for a role above the
 *   actor's or with rights that he lacks; TOO_MANY_REQUESTS when the address was sent too many invitations.
 */
export async function addMember(
  deps: Deps,
  actor: OrganizationActor,
  wanted: Wanted,
  limiter: RateLimiter,
): Promise<{ member: OwnMembership } | { invitation: Invitation }> {
  const { key, platformRole } = actor.principal;
  if (!isLimited(key) && canOnPlatform(platformRole, 'member.addDirectly')) {
    const userId = await accountOf(deps, wanted.email);
    if (userId !== undefined) return { member: await addAccount(deps, actor, userId, wanted) };
  }
  return { invitation: await inviteMember(deps, actor, wanted, limiter) };
}
