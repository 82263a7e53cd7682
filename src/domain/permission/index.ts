export { explainPermission } from './explain.ts';
export { simulatePermissions } from './simulate.ts';
