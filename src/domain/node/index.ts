export { assignNode, unassignNode } from './assign.ts';
export { createNode, type NewNode } from './create.ts';
export { type Assignment, type Heartbeat, type HeartbeatAnswer, heartbeat } from './heartbeat.ts';
export { type AvailableNode, giveRoomBack, type Tenant, takeRoom, type Wanted } from './placement.ts';
export { listNodes, type NodeFilter, nodesFor, oneNode } from './read.ts';
export { removeNode, rotateNodeToken } from './remove.ts';
export type { Node } from './row.ts';
export { NODE_FIELDS, type NodeChanges, updateNode } from './update.ts';
