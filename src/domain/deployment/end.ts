import type { Transaction } from '../../db/client.ts';
import { preconditionFailed } from '../../kernel/errors.ts';
import { record } from '../audit/index.ts';
import type { Deps } from '../deps.ts';
import { inOrganization } from '../organization/index.ts';
import type { OrganizationActor } from '../principal.ts';
import { type Deployment, holdDeployment, summaryOf } from './row.ts';

type Step = {
  status: 'stopped' | 'destroyed';
  action: string;
  /** @throws PRECONDITION_FAILED when it cannot be taken now */
  require(tx: Transaction, deployment: Deployment): Promise<void>;
};

function take(deps: Deps, actor: OrganizationActor, id: string, step: Step): Promise<Deployment> {
  return inOrganization(deps, actor, async (tx, { id: organizationId }, { principal, role }) => {
    const deployment = await holdDeployment(tx, organizationId, id);
    await step.require(tx, deployment);
    const changes = { status: step.status, updatedAt: deps.now() };
    await tx`update deployments set ${tx(changes)} where id = ${id}`;
    await record(tx, principal, changes.updatedAt, {
      organizationId,
      role,
      action: step.action,
      resourceType: 'deployment',
      resourceId: id,
      resourceName: deployment.name,
      before: summaryOf(deployment),
      after: summaryOf({ ...deployment, ...changes }),
    });
    return { ...deployment, ...changes };
  });
}

const alreadyIs = (status: 'stopped' | 'destroyed') =>
  preconditionFailed(`deployment_${status}`, `This deployment is ${status} already.`);

/**
 * Has the instance stop: it learns of it by its next report.
 *
 * @throws NOT_FOUND; PRECONDITION_FAILED when it is stopped or destroyed, and in an inactive organization.
 */
export const stopDeployment = (deps: Deps, actor: OrganizationActor, id: string): Promise<Deployment> =>
  take(deps, actor, id, {
    status: 'stopped',
    action: 'stop',
    async require(_tx, { status }) {
      if (status === 'stopped' || status === 'destroyed') throw alreadyIs(status);
    },
  });

/**
 * Ends it for good; its address is free again.
 *
 * @throws NOT_FOUND; PRECONDITION_FAILED when it is not stopped or clients speak to it, and in an inactive organization.
 */
export const destroyDeployment = (deps: Deps, actor: OrganizationActor, id: string): Promise<Deployment> =>
  take(deps, actor, id, {
    status: 'destroyed',
    action: 'destroy',
    async require(tx, { status }) {
      if (status === 'destroyed') throw alreadyIs(status);
      if (status !== 'stopped') {
        throw preconditionFailed('deployment_not_stopped', `This deployment is ${status}. Stop it first.`);
      }
      const clients = await tx`
        select 1 from deployments where parent_deployment_id = ${id} and status <> 'destroyed' limit 1`;
      if (clients.length === 0) return;
      throw preconditionFailed('deployment_has_clients', 'Clients speak to this API. Destroy them first.');
    },
  });
