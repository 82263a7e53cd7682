import type { Transaction } from '../../db/client.ts';
import { forbidden, notFound } from '../../kernel/errors.ts';
import { outranks, type Role } from '../../kernel/permissions.ts';
import { record } from '../audit/index.ts';
import type { Deps } from '../deps.ts';
import { inOrganization } from '../organization/index.ts';
import type { OrganizationActor } from '../principal.ts';
import { endMembership } from './end.ts';

/** A member by the membership's id, by the account's, or by both, which must then agree. */
export type MemberName = { memberId?: string | undefined; userId?: string | undefined };

type Found = { id: string; userId: string; role: Role; email: string };

const named = (tx: Transaction, organizationId: string, { memberId, userId }: MemberName) => tx`
  m.organization_id = ${organizationId} and (m.id = ${memberId ?? null} or ${memberId === undefined})
    and (m.user_id = ${userId ?? null} or ${userId === undefined})
    and ${memberId !== undefined || userId !== undefined}`;

/**
 * Ends a person's membership, with all that `endMembership` says. The account stays: it is the person's, and other
 * organizations may have it.
 *
 * @param kind what the error calls who is no member
 * @throws NOT_FOUND for who is no member; FORBIDDEN for oneself and for members of an equal or higher rank, so for the
 *   owner always.
 */
export function removeMember(
  deps: Deps,
  actor: OrganizationActor,
  name: MemberName,
  kind: 'Member' | 'User' = 'Member',
): Promise<void> {
  const lockMember = (tx: Transaction) => tx`
    select 1 from users u join memberships m on m.user_id = u.id
    where ${named(tx, actor.organizationId, name)} for no key update of u`;
  return inOrganization(
    deps,
    actor,
    async (tx, organization, current) => {
      const organizationId = organization.id;
      const [member] = await tx<Found[]>`
        select m.id, m.user_id, m.role, u.email from memberships m join users u on u.id = m.user_id
        where ${named(tx, organizationId, name)}`;
      if (member === undefined) throw notFound(kind);
      const { id, userId, role, email } = member;
      if (id === current.memberId) {
        throw forbidden('own_membership', 'To end your own membership, call organization.leave.');
      }
      if (!outranks(current.role, role)) {
        throw forbidden('rank_too_low', 'You can only remove members of a lower rank than your own.');
      }
      await endMembership(tx, { id, userId, organizationId });
      await record(tx, current.principal, deps.now(), {
        organizationId,
        role: current.role,
        action: 'delete',
        resourceType: 'member',
        resourceId: id,
        resourceName: email,
        before: { userId, role },
      });
    },
    { before: lockMember },
  );
}
