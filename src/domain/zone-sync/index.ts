export { addZone, markChanged, moveZone, withdraw, withdrawZonesOf, type ZoneRow } from './rows.ts';
export { adoptZones, sweepZones } from './sweep.ts';
export { differences, syncZone } from './sync.ts';
