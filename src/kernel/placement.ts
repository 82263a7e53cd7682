/** A node that was not heard of for longer is taken to be out of order. */
export const HEARTBEAT_MS = 120_000;
/** How often agents should come. */
export const HEARTBEAT_EVERY_SECONDS = 30;

/** What a server takes of its node. 100 % is one core. */
export type ServerSize = { memoryMb: number; diskMb: number; cpuPercent: number };
export const NO_SIZE: ServerSize = { memoryMb: 0, diskMb: 0, cpuPercent: 0 };

/** Whether one takes more than the other of anything. */
export const isLarger = (one: ServerSize, other: ServerSize): boolean =>
  one.memoryMb > other.memoryMb || one.diskMb > other.diskMb || one.cpuPercent > other.cpuPercent;

export const difference = (one: ServerSize, other: ServerSize): ServerSize => ({
  memoryMb: one.memoryMb - other.memoryMb,
  diskMb: one.diskMb - other.diskMb,
  cpuPercent: one.cpuPercent - other.cpuPercent,
});
