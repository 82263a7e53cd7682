export { createZone } from './create.ts';
export { deleteZone } from './delete.ts';
export { setDnssec } from './dnssec.ts';
export { type ImportMode, type ImportResult, importZone } from './import.ts';
export { type PlannedChange, planZone, type ZonePlan } from './plan.ts';
export { exportZone, listZones, oneZone } from './read.ts';
export { requireRoomFor } from './room.ts';
export { holdZone, type Zone } from './row.ts';
export { verifyZone } from './verify.ts';
