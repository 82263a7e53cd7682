/**
 * Runs at most `permits` tasks at once. A task that has waited `maxWaitMs` for its turn, or that finds `maxQueue`
 * others waiting, is not run: the promise rejects with what `refuse` makes.
 */
export function createSemaphore(options: {
  permits: number;
  maxWaitMs: number;
  maxQueue?: number;
  refuse: () => Error;
}) {
  const { maxWaitMs, maxQueue = Number.POSITIVE_INFINITY, refuse } = options;
  const waiting = new Set<() => void>();
  let free = options.permits;

  function acquire(): Promise<void> | undefined {
    if (free > 0) {
      free -= 1;
      return undefined;
    }
    if (waiting.size >= maxQueue) return Promise.reject(refuse());
    return new Promise((resolve, reject) => {
      const admit = () => {
        clearTimeout(timer);
        resolve();
      };
      const timer = setTimeout(() => {
        waiting.delete(admit);
        reject(refuse());
      }, maxWaitMs);
      waiting.add(admit);
    });
  }

  function release() {
    const [next] = waiting;
    if (next === undefined) {
      free += 1;
      return;
    }
    waiting.delete(next);
    next(); // the permit passes on
  }

  return async function run<T>(task: () => Promise<T>): Promise<T> {
    const wait = acquire();
    if (wait !== undefined) await wait;
    try {
      return await task();
    } finally {
      release();
    }
  };
}
