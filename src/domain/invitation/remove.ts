import { notFound } from '../../kernel/errors.ts';
import { record } from '../audit/index.ts';
import type { Deps } from '../deps.ts';
import { inOrganization } from '../organization/index.ts';
import type { OrganizationActor } from '../principal.ts';
import type { Invitation } from './invitation.ts';

/** Withdraws an invitation, or clears an old one from the list. */
export function removeInvitation(deps: Deps, actor: OrganizationActor, invitationId: string): Promise<void> {
  return inOrganization(deps, actor, async (tx, organization, current) => {
    const [removed] = await tx<Invitation[]>`
      delete from invitations where id = ${invitationId} and organization_id = ${organization.id}
      returning id, email, role, status`;
    if (removed === undefined) throw notFound('Invitation');
    const { email, role, status } = removed;
    await record(tx, current.principal, deps.now(), {
      organizationId: organization.id,
      role: current.role,
      action: 'delete',
      resourceType: 'invitation',
      resourceId: invitationId,
      resourceName: email,
      before: { email, role, status },
    });
  });
}
