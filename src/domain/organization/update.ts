import { mayGrant, type Role } from '../../kernel/permissions.ts';
import { type IfMatch, requireVersion } from '../../kernel/versions.ts';
import { record } from '../audit/index.ts';
import type { Deps } from '../deps.ts';
import type { OrganizationActor } from '../principal.ts';
import { tierOf } from '../tier/index.ts';
import { moveZone } from '../zone-sync/index.ts';
import { inOrganization, requireActive } from './actor.ts';
import { claimHandle } from './handle.ts';
import { notGrantable, requireRole } from './role.ts';
import { type Organization, toOrganization } from './row.ts';

/** By which an ETag tells one state from another. */
export const ORGANIZATION_FIELDS = ['name', 'description', 'logo', 'active', 'handle', 'defaultRole'];

/** What can be changed. Omitted keeps, null clears. */
export type OrganizationChanges = {
  name?: string | undefined;
  description?: string | null | undefined;
  logo?: string | null | undefined;
  active?: boolean | undefined;
  handle?: string | undefined;
  defaultRole?: Role | null | undefined;
};

/**
 * @throws BAD_REQUEST for a default role that there is not; CONFLICT when the handle is taken; PRECONDITION_FAILED when
 *   the organization is inactive and the change does not activate it, and when it has changed (`ifMatch`); FORBIDDEN for
 *   a default role above the actor's or with rights that he lacks.
 */
export function updateOrganization(
  deps: Deps,
  actor: OrganizationActor,
  changes: OrganizationChanges,
  ifMatch?: IfMatch,
): Promise<Organization> {
  return inOrganization(
    deps,
    actor,
    async (tx, organization, { principal, role, grant }) => {
      requireVersion(ifMatch, ORGANIZATION_FIELDS, organization);
      if (changes.active !== true) requireActive(organization);
      if (changes.defaultRole != null) {
        const wanted = await requireRole(tx, organization.id, changes.defaultRole, 'defaultRole');
        if (!mayGrant(grant, wanted)) throw notGrantable('make the default');
      }
      const handle =
        changes.handle === undefined
          ? organization.handle
          : await claimHandle(tx, changes.handle, deps.rules, organization.id);
      const updated = {
        name: changes.name ?? organization.name,
        description: changes.description === undefined ? organization.description : changes.description,
        logo: changes.logo === undefined ? organization.logo : changes.logo,
        active: changes.active ?? organization.active,
        defaultRole: changes.defaultRole === undefined ? organization.defaultRole : changes.defaultRole,
        handle,
      };
      const { name, description, logo, active, defaultRole } = organization;
      const now = deps.now();
      await tx`update organizations set ${tx({ ...updated, updatedAt: now })} where id = ${organization.id}`;
      if (handle !== organization.handle) {
        await moveZone(tx, deps, organization.id, { from: organization.handle, to: handle });
      }
      await record(tx, principal, now, {
        organizationId: organization.id,
        role,
        action: 'update',
        resourceType: 'organization',
        resourceId: organization.id,
        resourceName: updated.name,
        before: { name, description, logo, active, defaultRole, handle: organization.handle },
        after: updated,
      });
      const tier = await tierOf(tx, organization.id, now);
      return toOrganization(deps.rules, { ...organization, ...updated, updatedAt: now }, role, tier);
    },
    { allowInactive: true },
  );
}
