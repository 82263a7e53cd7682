import type { Transaction } from '../../db/client.ts';
import { beyondWall } from '../../db/wall.ts';
import { badRequest, conflict, notFound, preconditionFailed } from '../../kernel/errors.ts';
import { namesAbove } from '../../kernel/handles.ts';
import { newId } from '../../kernel/ids.ts';
import { record } from '../audit/index.ts';
import type { Deps } from '../deps.ts';
import { inOrganization, isPlatformName, lockName } from '../organization/index.ts';
import type { OrganizationActor } from '../principal.ts';
import { findLicenseInForce } from '../tier/index.ts';
import { type Deployment, summaryOf } from './row.ts';

export type NewDeployment = Pick<
  Deployment,
  'name' | 'subdomain' | 'baseDomain' | 'componentType' | 'hostingType' | 'parentDeploymentId' | 'version'
>;

const PARENT = 'parentDeploymentId';

/** A client speaks to an API of its organization, and an API to none. */
async function requireParent(tx: Transaction, organizationId: string, input: NewDeployment): Promise<void> {
  const { componentType, parentDeploymentId } = input;
  if (componentType === 'api') {
    if (parentDeploymentId === null) return;
    throw badRequest(PARENT, 'parent_not_allowed', 'Only a client has a parent.');
  }
  if (parentDeploymentId === null) {
    throw badRequest(PARENT, 'parent_required', 'A client needs the deployment of its API.');
  }
  const [parent] = await tx<Pick<Deployment, 'componentType' | 'status'>[]>`
    select component_type, status from deployments
    where id = ${parentDeploymentId} and organization_id = ${organizationId}`;
  if (parent === undefined) throw notFound('Deployment');
  if (parent.componentType !== 'api') {
    throw badRequest(PARENT, 'parent_not_api', 'The parent of a client is an API.');
  }
  if (parent.status === 'destroyed') {
    throw preconditionFailed('parent_destroyed', 'The API of this client was destroyed.');
  }
}

const taken = (name: string) => conflict('address_taken', `The address ${name} is taken.`, 'subdomain');

/** A name within another organization's handle, or a zone that it has verified, is that organization's. */
async function requireOwnName(tx: Transaction, organizationId: string, name: string): Promise<void> {
  const equalOrAbove = [name, ...namesAbove(name)];
  const foreign = await beyondWall(
    tx,
    () => tx`
      select 1 from organizations where handle = any(${equalOrAbove}) and id <> ${organizationId}
      union all
      select 1 from dns_zones
      where name = any(${equalOrAbove}) and verified_at is not null and organization_id <> ${organizationId}`,
  );
  if (foreign.length > 0) throw taken(name);
}

/**
 * Adds a deployment, which is pending until its first report.
 *
 * @throws BAD_REQUEST for a parent that does not fit, and for an address that is the platform's own; NOT_FOUND for a
 *   parent that there is not; CONFLICT for an address that is taken; PRECONDITION_FAILED without a license in force, and in
 *   an inactive organization.
 */
export function createDeployment(
  deps: Deps,
  actor: OrganizationActor,
  input: NewDeployment,
): Promise<Deployment> {
  return inOrganization(deps, actor, async (tx, { id: organizationId }, { principal, role }) => {
    const now = deps.now();
    const license = await findLicenseInForce(tx, organizationId, now);
    if (license === null) {
      throw preconditionFailed('license_required', 'Deployments need a license that is in force.');
    }
    await requireParent(tx, organizationId, input);
    const address = `${input.subdomain}.${input.baseDomain}`;
    if (isPlatformName(address, deps.rules)) {
      throw badRequest('subdomain', 'address_reserved', 'This name belongs to the platform.');
    }
    await lockName(tx, address, deps.rules);
    await requireOwnName(tx, organizationId, address);
    const row: Deployment = {
      ...input,
      id: newId(),
      licenseId: license.id,
      organizationId,
      status: 'pending',
      health: 'unknown',
      reportedAt: null,
      createdAt: now,
      updatedAt: now,
    };
    const made = await tx`insert into deployments ${tx(row)} on conflict do nothing returning id`;
    if (made.length === 0) throw taken(address);
    await record(tx, principal, now, {
      organizationId,
      role,
      action: 'create',
      resourceType: 'deployment',
      resourceId: row.id,
      resourceName: row.name,
      after: summaryOf(row),
    });
    return row;
  });
}
