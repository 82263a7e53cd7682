import { useSyncExternalStore } from 'react';

const PROBE_MS = 1_500;

let isLost = false;
const listeners = new Set<() => void>();

function become(state: boolean): void {
  if (isLost === state) return;
  isLost = state;
  for (const listener of listeners) listener();
}

/** The service has answered. */
export const reached = (): void => become(false);

/** A request got no answer: asks from now on, until there is one. */
export function lost(): void {
  if (isLost) return;
  become(true);
  const probe = setInterval(async () => {
    const answer = await fetch('/health').catch(() => undefined);
    if (answer?.ok !== true) return;
    clearInterval(probe);
    reached();
  }, PROBE_MS);
}

/** Tells of every change between reached and lost. */
export function onConnectionChange(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Whether the last request got no answer. */
export const useIsLost = (): boolean => useSyncExternalStore(onConnectionChange, () => isLost);
