export { createZone } from './create.ts';
export { deleteZone } from './delete.ts';
export { setDnssec } from './dnssec.ts';
export { importZone } from './import.ts';
export { planZone } from './plan.ts';
export { exportZone, listZones, oneZone } from './read.ts';
export { requireRoomFor } from './room.ts';
export { holdZone } from './row.ts';
export { verifyZone } from './verify.ts';
