export { type Explanation, explainPermission } from './explain.ts';
export { type Simulation, simulatePermissions } from './simulate.ts';
