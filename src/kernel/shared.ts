import { setImmediate as endOfTurn } from 'node:timers/promises';

/** Runs a task for all who ask for the same; see createShared. */
export type Shared<T> = (key: string, task: (begin: () => void) => Promise<T>) => Promise<T>;

/**
 * Lets those who ask for the same at the same time share the answer. The task calls `begin` when it begins to find it: up to
 * then, and for the rest of the turn of the event loop anyway, others may join. Nobody gets what was found before he asked.
 */
export function createShared<T>(): Shared<T> {
  const open = new Map<string, Promise<T>>();
  return (key, task) => {
    const joined = open.get(key);
    if (joined !== undefined) return joined;
    const close = () => {
      if (open.get(key) === answer) open.delete(key);
    };
    const answer = endOfTurn()
      .then(() => task(close))
      .finally(close);
    open.set(key, answer);
    return answer;
  };
}
