const SIGNALS = ['SIGINT', 'SIGTERM'] as const;

/** This process was told to stop in the middle of a command. */
export class InterruptedError extends Error {}

/**
 * Runs a command that holds what has to be let go of, such as a server or a directory. Told to stop, the process does not end
 * at once: `interrupted` is aborted, and the command fails by `unless`.
 */
export async function interruptible<T>(command: (interrupted: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  const stop = (signal: NodeJS.Signals) => controller.abort(new InterruptedError(`Stopped by ${signal}.`));
  for (const signal of SIGNALS) process.on(signal, stop);
  try {
    return await command(controller.signal);
  } finally {
    for (const signal of SIGNALS) process.off(signal, stop);
  }
}

/**
 * The outcome of `task`, for which nobody waits any more once the process was told to stop.
 *
 * @throws InterruptedError then
 */
export async function unless<T>(interrupted: AbortSignal, task: () => Promise<T>): Promise<T> {
  interrupted.throwIfAborted();
  const aborted = new Promise<never>((_, reject) => {
    interrupted.addEventListener('abort', () => reject(interrupted.reason), { once: true });
  });
  return Promise.race([task(), aborted]);
}
