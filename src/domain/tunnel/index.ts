export { requireDevice, requireTunnels } from './access.ts';
export { allocate, closeAllocation } from './allocate.ts';
export { approveEnrolment, denyEnrolment, previewEnrolment } from './decide.ts';
export { pollEnrolment } from './poll.ts';
export { allocationsOf, listAllocations, listDevices } from './read.ts';
export { removeDevice } from './remove.ts';
export { startEnrolment } from './start.ts';
