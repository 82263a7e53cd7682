/** The outcome of `task`, or an error after `ms` milliseconds. The task itself goes on: nobody waits for it any more. */
export function within<T>(ms: number, task: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const tooLate = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer in ${ms} ms`)), ms);
  });
  return Promise.race([task, tooLate]).finally(() => clearTimeout(timer));
}
