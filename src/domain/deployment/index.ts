export { createDeployment, type NewDeployment } from './create.ts';
export { destroyDeployment, stopDeployment } from './end.ts';
export { type DeploymentFilter, listDeployments, organizationDeployments } from './read.ts';
export { type DeploymentReport, type ReportAnswer, reportDeployment } from './report.ts';
export type { Deployment } from './row.ts';
