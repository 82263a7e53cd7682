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

const isThere = async (): Promise<boolean> => (await fetch('/health').catch(() => undefined))?.ok === true;

/** Something in front of the service has answered in its place: it is away, unless it says otherwise. */
export async function doubted(): Promise<void> {
  if (!(await isThere())) lost();
}

/** A request got no answer: asks from now on, until there is one. */
export function lost(): void {
  if (isLost) return;
  become(true);
  const probe = setInterval(async () => {
    if (!(await isThere())) return;
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
