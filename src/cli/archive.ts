import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { chmod, link, mkdtemp, open, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { pipeline } from 'node:stream/promises';
import * as tar from 'tar';
import { z } from 'zod';
import { hasCode } from '../db/embedded/error.ts';
import { preconditionFailed } from '../kernel/errors.ts';
import { randomSuffix } from '../kernel/secrets.ts';
import { unless } from './interrupt.ts';

/* A backup is a tar.gz: the files of an installation, and a manifest that vouches for each. */

const MANIFEST = 'manifest.json';

const Facts = z.object({
  /** Of Tenantry, when the backup was made. */
  version: z.string(),
  /** The newest one that the database had had. */
  migration: z.number(),
  createdAt: z.string(),
  /** Tells whether a secret is the one that sealed and encrypted what is inside. */
  secretHash: z.string(),
});
const Manifest = Facts.extend({ files: z.record(z.string(), z.string()) });
export type Facts = z.infer<typeof Facts>;

/** A directory that is gone when `task` has ended. */
export async function withDirectory<T>(task: (directory: string) => Promise<T>): Promise<T> {
  const directory = await mkdtemp(join(tmpdir(), 'tenantry-'));
  try {
    return await task(directory);
  } finally {
    // what was interrupted may write one more file meanwhile
    await rm(directory, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** Of every file below a directory but the manifest, by its path. */
async function hashesOf(directory: string): Promise<Record<string, string>> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const hashes: Record<string, string> = {};
  for (const path of paths.sort()) {
    const name = relative(directory, path);
    if (name === MANIFEST) continue;
    const hash = createHash('sha256');
    await pipeline(createReadStream(path), hash);
    hashes[name] = hash.digest('hex');
  }
  return hashes;
}

export const isThere = (file: string) =>
  preconditionFailed('file_exists', `${file} is there already. Name another file.`);

/**
 * Packs a directory into `file`, which only its owner can read and which is there whole or not at all.
 *
 * @throws PRECONDITION_FAILED when there is a file already
 */
export async function pack(
  directory: string,
  file: string,
  facts: Facts,
  interrupted: AbortSignal,
): Promise<void> {
  const files = await unless(interrupted, () => hashesOf(directory));
  const manifest: z.infer<typeof Manifest> = { ...facts, files };
  await writeFile(join(directory, MANIFEST), JSON.stringify(manifest, null, 2));
  const draft = `${file}.${randomSuffix(8)}.part`;
  try {
    await writeFile(draft, '', { mode: 0o600, flag: 'wx' });
    const contents = [MANIFEST, ...Object.keys(files)];
    const options = { cwd: directory, file: draft, gzip: true, portable: true } as const;
    await unless(interrupted, () => tar.create(options, contents));
    await chmod(draft, 0o600);
    const handle = await open(draft, 'r+');
    await handle.sync();
    await handle.close();
    // Unlike a rename it never replaces another backup.
    await link(draft, file).catch((error: unknown) => {
      throw hasCode(error, 'EEXIST') ? isThere(file) : error;
    });
  } finally {
    await rm(draft, { force: true });
  }
}

const broken = (cause: unknown) =>
  preconditionFailed(
    'backup_broken',
    `The backup cannot be used: ${cause instanceof Error ? cause.message : cause}. Nothing was changed.`,
  );

/**
 * Unpacks a backup into a directory.
 *
 * @throws PRECONDITION_FAILED when a byte is not as it was packed
 */
export async function unpack(file: string, directory: string): Promise<Facts> {
  try {
    await tar.list({ file, strict: true }); // all of it can be read, before anything of it is written
    await tar.extract({
      cwd: directory,
      file,
      strict: true,
      preserveOwner: false,
      filter: (_path, entry) => 'type' in entry && entry.type === 'File',
    });
    const { files, ...facts } = Manifest.parse(JSON.parse(await readFile(join(directory, MANIFEST), 'utf8')));
    const found = await hashesOf(directory);
    const names = new Set([...Object.keys(files), ...Object.keys(found)]);
    const wrong = [...names].filter((name) => files[name] !== found[name]);
    if (wrong.length > 0) throw new Error(`${wrong.join(', ')} is missing or not as it was`);
    return facts;
  } catch (error) {
    throw broken(error);
  }
}
