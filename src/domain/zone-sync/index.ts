export {
  addZone,
  markChanged,
  moveZone,
  withdraw,
  withdrawZonesOf,
  type ZoneAt,
  type ZoneRow,
} from './rows.ts';
export { adoptZones, sweepZones } from './sweep.ts';
export { desiredZone, differences, syncZone } from './sync.ts';
