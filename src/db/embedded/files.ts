import { chmod, chown, lchown, lstat, mkdir, open, readdir, rename, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { hasCode } from './error.ts';

export async function exists(path: string): Promise<boolean> {
  try {
    await lstat(path);
    return true;
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return false;
    throw error;
  }
}

/** Creates what is missing of a path, for everyone to pass whatever the umask says. */
export async function makeDirectory(directory: string): Promise<void> {
  // not by mkdir's `recursive`, with which Node loops for ever where nothing can be created, such as in /proc
  if (await exists(directory)) return;
  await makeDirectory(dirname(directory));
  try {
    await mkdir(directory);
  } catch (error) {
    // another process was faster
    if (hasCode(error, 'EEXIST')) return;
    throw error;
  }
  await chmod(directory, 0o755);
}

/** Writes a file that only its owner may read, so that after a crash it is there whole or not at all. */
export async function writeSecret(path: string, text: string): Promise<void> {
  const draft = `${path}.new`;
  await writeFile(draft, text, { mode: 0o600, flush: true });
  await moveTo(draft, path);
}

/** Renames within a file system, and waits until that outlasts a power failure. */
export async function moveTo(from: string, to: string): Promise<void> {
  await rename(from, to);
  const parent = await open(dirname(to));
  try {
    await parent.sync();
  } finally {
    await parent.close();
  }
}

/** Gives a directory and all in it to a user; the directory itself last, so that a broken run is repeated. */
export async function giveTo(owner: { uid: number; gid: number }, directory: string): Promise<void> {
  for (const entry of await readdir(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) await giveTo(owner, path);
    else await lchown(path, owner.uid, owner.gid);
  }
  await chown(directory, owner.uid, owner.gid);
}

/** Lets everyone read a directory and all in it, and run what its owner can run. */
export async function openToAll(directory: string): Promise<void> {
  await chmod(directory, 0o755);
  for (const entry of await readdir(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) await openToAll(path);
    else if (entry.isFile()) await chmod(path, (await stat(path)).mode & 0o100 ? 0o755 : 0o644);
  }
}
