import { notFound } from '../../kernel/errors.ts';
import { hashSecret } from '../../kernel/secrets.ts';
import type { Deps } from '../deps.ts';
import { isInForce } from '../tier/index.ts';
import type { Deployment } from './row.ts';

/** What an instance says of itself. Omitted keeps. */
export type DeploymentReport = {
  deploymentId: string;
  /** Of its license. */
  key: string;
  health: 'healthy' | 'unhealthy';
  version?: string | undefined;
};

/** What the instance is to know: whether to go on, and whether its license is in force and serves its organization. */
export type ReportAnswer = { status: Deployment['status']; licenseValid: boolean };

/**
 * Notes what an instance says; the first report makes it run. One statement, as instances come often.
 *
 * @throws NOT_FOUND alike for an unknown deployment, for a key of another license, and for what was destroyed.
 */
export async function reportDeployment(deps: Deps, report: DeploymentReport): Promise<ReportAnswer> {
  type Row = { status: Deployment['status']; serves: boolean; active: boolean; expiresAt: Date | null };
  const now = deps.now();
  const [row] = await deps.db.query(
    (sql) => sql<Row[]>`
      update deployments d
      set health = ${report.health}, version = coalesce(${report.version ?? null}, d.version), reported_at = ${now},
        status = case when d.status = 'pending' then 'running' else d.status end
      from licenses l
      where d.id = ${report.deploymentId} and d.status <> 'destroyed'
        and l.id = d.license_id and l.key_hash = ${hashSecret(report.key)}
      returning d.status, (l.organization_id = d.organization_id) is true as serves, l.active, l.expires_at`,
  );
  if (row === undefined) throw notFound('Deployment');
  return { status: row.status, licenseValid: row.serves && isInForce(row, now) };
}
