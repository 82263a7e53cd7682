import type { Deps } from '../domain/deps.ts';
import { adoptZones, sweepZones } from '../domain/zone-sync/index.ts';
import { within } from '../kernel/within.ts';

const TICK_MS = 2_000;
const STOP_MS = 10_000;

type Log = { error(details: object, message: string): void };

export type Sweeper = { start(): void; stop(): Promise<void> };

/** Brings providers of DNS to the database on a schedule, one sweep after another. Without a provider it does nothing. */
export function createSweeper(deps: Deps, log: Log): Sweeper {
  const isIdle = Object.keys(deps.dns.providers).length === 0;
  let sweeping = Promise.resolve();
  let timer: NodeJS.Timeout | undefined;
  let stopped = isIdle;

  const attempt = (task: Promise<void>) =>
    task.catch((error: unknown) => log.error({ err: error }, 'zones could not be synchronized'));

  function plan(): void {
    if (!stopped) timer = setTimeout(sweep, TICK_MS);
  }
  function sweep(): void {
    sweeping = attempt(sweepZones(deps)).then(plan);
  }

  return {
    start() {
      if (!stopped) sweeping = attempt(adoptZones(deps)).then(plan);
    },
    async stop() {
      stopped = true;
      clearTimeout(timer);
      await attempt(within(STOP_MS, sweeping));
    },
  };
}
