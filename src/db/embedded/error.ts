/** The bundled server could not be used. The message tells an operator what is wrong and what to do. */
export class EmbeddedServerError extends Error {
  override name = 'EmbeddedServerError';
}

function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'syscall' in error && 'code' in error;
}

/** Whether `error` is a system error with one of these codes, such as ENOENT. */
export function hasCode(error: unknown, ...codes: string[]): boolean {
  return isSystemError(error) && error.code !== undefined && codes.includes(error.code);
}

/** Turns a file system error below the data directory into words; every other error stays what it is. */
export function explain(error: unknown, directory: string): unknown {
  if (error instanceof EmbeddedServerError || !isSystemError(error)) return error;
  const path = error.path ?? directory;
  const who = `this process (uid ${process.geteuid?.() ?? 'unknown'})`;
  const denied = `${who} has no permission to create or use ${path}. Grant it, start as another user`;
  const reasons: Record<string, string> = {
    EACCES: denied,
    EPERM: denied,
    EROFS: `${path} is on a read-only file system. Make it writable`,
    ENOSPC: `the disk is full (${path}). Free some space`,
    EDQUOT: `the disk quota is used up (${path}). Free some space`,
    ENOTDIR: `a part of ${path} is a file, not a directory. Correct that`,
  };
  const reason = reasons[error.code ?? ''] ?? `${error.message}. Repair that`;
  return new EmbeddedServerError(
    `The data directory ${directory} cannot be used: ${reason}, or set DATA_DIR to another directory.`,
    { cause: error },
  );
}
