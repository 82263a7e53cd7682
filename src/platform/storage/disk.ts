import { randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Storage } from '../../domain/storage.ts';
import { unavailable } from '../../kernel/errors.ts';
import { requireName } from './name.ts';

/** Where files are until they are whole; on the same file system, so that a rename is all or nothing. */
const INCOMING = 'incoming';

const isMissing = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === 'ENOENT';

/** A full disk and a missing right pass, as an outage does. */
const failed = (cause: unknown) =>
  unavailable('storage_unavailable', 'The files cannot be reached now. Try again.', cause);

/** Keeps files in a directory, which is made when the first one comes. */
export function createDiskStorage(directory: string): Storage {
  const incoming = join(directory, INCOMING);
  const fileOf = (name: string) => join(directory, requireName(name));

  /** What is left of writing a file when the process ended meanwhile. */
  async function removeLeftovers(name: string): Promise<void> {
    for (const leftover of await readdir(incoming)) {
      if (leftover.startsWith(`${name}.`)) await rm(join(incoming, leftover), { force: true });
    }
  }

  return {
    async put(name, bytes) {
      const file = fileOf(name);
      const part = join(incoming, `${name}.${randomUUID()}`);
      try {
        await mkdir(incoming, { recursive: true, mode: 0o700 });
        await writeFile(part, bytes, { flag: 'wx', mode: 0o600, flush: true });
        await rename(part, file);
      } catch (error) {
        await rm(part, { force: true }).catch(() => {}); // the first error says more
        throw failed(error);
      }
    },

    async get(name) {
      const file = fileOf(name);
      try {
        return await readFile(file);
      } catch (error) {
        if (isMissing(error)) return undefined;
        throw failed(error);
      }
    },

    async delete(name) {
      const file = fileOf(name);
      try {
        await rm(file, { force: true });
        await removeLeftovers(name);
      } catch (error) {
        if (!isMissing(error)) throw failed(error);
      }
    },
  };
}
