import type { Transaction } from '../../db/client.ts';
import { newId } from '../../kernel/ids.ts';
import type { Role } from '../../kernel/permissions.ts';
import { record } from '../audit/index.ts';
import type { Deps } from '../deps.ts';
import { issueLink } from '../email-link/index.ts';
import { inOrganization, requireGrantable } from '../organization/index.ts';
import { requireStrong } from '../password/index.ts';
import type { OrganizationActor } from '../principal.ts';
import { insertUser } from './insert.ts';

export type CreatedMember = {
  /** Of the account. */
  id: string;
  memberId: string;
  organizationId: string;
  email: string;
  role: Role;
};

/**
 * Makes an account with a password that its maker knows, as a member of the actor's organization and without one of
 * its own. The address stays unverified. Only for platform staff, who vouch for the installation: anybody else could
 * take a stranger's address before its owner comes.
 *
 * @throws BAD_REQUEST for a weak password or a role that there is not, CONFLICT when the address has an account,
 *   FORBIDDEN for a role above the actor's or with rights that he lacks.
 */
export async function createMember(
  deps: Deps,
  actor: OrganizationActor,
  input: { email: string; password: string; role: Role },
): Promise<CreatedMember> {
  requireStrong(input.password);
  const password = await deps.passwords.hash(input.password);
  const now = deps.now();
  const { email, role } = input;
  const id = newId();
  const memberId = newId();
  const addUser = async (tx: Transaction) => {
    await insertUser(
      tx,
      {
        id,
        email,
        emailVerified: false,
        name: email.slice(0, email.lastIndexOf('@')).slice(0, 64),
        firstName: '',
        lastName: '',
        role: 'user',
        createdAt: now,
        updatedAt: now,
      },
      password,
    );
    await issueLink(tx, deps, { userId: id, purpose: 'verify', email });
  };
  return inOrganization(
    deps,
    actor,
    async (tx, organization, current) => {
      await requireGrantable(tx, organization.id, current.grant, role);
      const organizationId = organization.id;
      await tx`insert into memberships ${tx({ id: memberId, organizationId, userId: id, role, isDefault: true, createdAt: now })}`;
      await tx`update invitations set status = 'canceled'
        where organization_id = ${organizationId} and email = ${email} and status = 'pending'`;
      await record(tx, current.principal, now, {
        organizationId,
        role: current.role,
        action: 'create',
        resourceType: 'user',
        resourceId: id,
        resourceName: email,
        after: { email, emailVerified: false, memberId, role },
      });
      return { id, memberId, organizationId, email, role };
    },
    // As registrations do, which take the address before the organization's row.
    { before: addUser },
  );
}
