export { requireDevice, requireTunnels } from './access.ts';
export { allocate, closeAllocation, type NewAllocation } from './allocate.ts';
export { approveEnrolment, denyEnrolment, previewEnrolment } from './decide.ts';
export { pollEnrolment } from './poll.ts';
export { allocationsOf, listAllocations, listDevices } from './read.ts';
export { removeDevice } from './remove.ts';
export type { TunnelAllocation, TunnelDevice, TunnelRequest } from './row.ts';
export { type DeviceAuthorization, startEnrolment } from './start.ts';
