export { createDeployment } from './create.ts';
export { destroyDeployment, stopDeployment } from './end.ts';
export { listDeployments, organizationDeployments } from './read.ts';
export { reportDeployment } from './report.ts';
