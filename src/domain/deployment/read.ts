import { NIL } from 'uuid';
import type { Deps } from '../deps.ts';
import type { OrganizationActor } from '../principal.ts';
import type { Deployment } from './row.ts';

type Page = { limit: number; cursor: string | null };

/** Those of an organization, through its license: without one there are none to see. */
export const organizationDeployments = (
  deps: Deps,
  actor: OrganizationActor,
  { activeOnly, limit, cursor }: Page & { activeOnly: boolean },
): Promise<Deployment[]> =>
  deps.db.query(
    (sql) => sql<Deployment[]>`
      select d.* from deployments d join licenses l on l.id = d.license_id and l.organization_id = d.organization_id
      where d.organization_id = ${actor.organizationId}
        and (d.status in ('pending', 'running') or not ${activeOnly})
        and d.id > ${cursor ?? NIL}
      order by d.id
      limit ${limit}`,
  );

export type DeploymentFilter = {
  licenseId: string | null;
  organizationId: string | null;
  status: Deployment['status'] | null;
};

/** Those of the whole installation, oldest first. */
export const listDeployments = (
  deps: Deps,
  filter: DeploymentFilter,
  { limit, cursor }: Page,
): Promise<Deployment[]> =>
  deps.db.query(
    (sql) => sql<Deployment[]>`
      select * from deployments
      where (${filter.licenseId}::uuid is null or license_id = ${filter.licenseId})
        and (${filter.organizationId}::uuid is null or organization_id = ${filter.organizationId})
        and (${filter.status}::text is null or status = ${filter.status})
        and id > ${cursor ?? NIL}
      order by id
      limit ${limit}`,
  );
