/** Runs a task for all who ask for the same; see createShared. */
export type Shared<T> = (key: string, task: () => Promise<T>) => Promise<T>;

/**
 * Lets those who ask for the same at the same time share the work. A task that runs already is not shared: what it found may
 * be older than the question. Whoever comes meanwhile is answered by the next one, which begins when this one has ended.
 */
export function createShared<T>(): Shared<T> {
  const running = new Map<string, Promise<T>>();
  const next = new Map<string, Promise<T>>();

  function begin(key: string, task: () => Promise<T>): Promise<T> {
    const run = task().finally(() => running.delete(key));
    running.set(key, run);
    return run;
  }
  return (key, task) => {
    const soon = next.get(key);
    if (soon !== undefined) return soon;
    const before = running.get(key);
    if (before === undefined) return begin(key, task);
    const run = () => {
      next.delete(key);
      return begin(key, task);
    };
    const following = before.then(run, run);
    next.set(key, following);
    return following;
  };
}
