export { assignNode, unassignNode } from './assign.ts';
export { createNode } from './create.ts';
export { heartbeat } from './heartbeat.ts';
export { giveRoomBack, takeRoom } from './placement.ts';
export { listNodes, nodesFor, oneNode } from './read.ts';
export { removeNode } from './remove.ts';
export { rotateNodeToken } from './token.ts';
export { NODE_FIELDS, updateNode } from './update.ts';
