import type { Transaction } from '../../db/client.ts';
import type { deployments } from '../../db/schema/index.ts';
import { notFound } from '../../kernel/errors.ts';

export type Deployment = typeof deployments.$inferSelect;

/** What the audit log says of a deployment. */
export const summaryOf = (deployment: Deployment) => {
  const { name, subdomain, baseDomain, componentType, hostingType, status } = deployment;
  return { name, subdomain, baseDomain, componentType, hostingType, status };
};

/** The deployment for the rest of the transaction. Its organization is held already. */
export async function holdDeployment(
  tx: Transaction,
  organizationId: string,
  id: string,
): Promise<Deployment> {
  const [row] = await tx<Deployment[]>`
    select * from deployments where id = ${id} and organization_id = ${organizationId} for no key update`;
  if (row === undefined) throw notFound('Deployment');
  return row;
}
