import { access, constants, copyFile, mkdir, readdir, stat, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type { Config } from '../config.ts';
import { dataDirOf, installedServer } from '../database.ts';
import { connect } from '../db/connect.ts';
import { dumpTables } from '../db/dump.ts';
import { hasCode } from '../db/embedded/error.ts';
import { exists } from '../db/embedded/files.ts';
import { migrationState } from '../db/migrate.ts';
import { preconditionFailed } from '../kernel/errors.ts';
import { existingSecret, requireSecret, secretHashOf } from '../secret.ts';
import { isThere, pack, withDirectory } from './archive.ts';
import { interruptible, unless } from './interrupt.ts';
import { VERSION } from './version.ts';
import { toStandardError } from './with-deps.ts';

/** What the data directory has besides the database, where the installation keeps it there. */
export const DIRECTORIES = ['avatars', 'mail'];

/** Copies the files of a directory, where there is one. One that has just been deleted is none. */
export async function copyFiles(from: string, to: string): Promise<void> {
  if (!(await exists(from))) return;
  await mkdir(to, { recursive: true, mode: 0o700 });
  for (const entry of await readdir(from, { withFileTypes: true })) {
    if (!entry.isFile()) continue;
    await copyFile(join(from, entry.name), join(to, entry.name)).catch((error: unknown) => {
      if (!hasCode(error, 'ENOENT')) throw error;
    });
  }
}

/** What is sealed with another secret than the backup names could not be read after it is restored. */
async function requireOwnSecret(url: string, secret: string): Promise<void> {
  const client = await connect(url);
  try {
    if ((await migrationState(client)) !== 'behind') await requireSecret(client, secret);
  } finally {
    await client.end({ timeout: 5 });
  }
}

/**
 * Writes the whole installation into one file, as it is at one moment, beside a running service or without one. A secret
 * that came in by AUTH_SECRET is left out, and pictures that are kept in S3.
 *
 * @throws PRECONDITION_FAILED where there can be no new file, and when there is no installation, or not its secret
 */
export const backup = (config: Config, target: string): Promise<string> =>
  interruptible((interrupted) => writeBackup(config, resolve(target), interrupted));

/** Before anything is read, which may take long. @throws PRECONDITION_FAILED where there can be no new file */
async function requirePlace(file: string): Promise<void> {
  try {
    if (await exists(file)) throw isThere(file);
    await access(dirname(file), constants.W_OK);
  } catch (error) {
    if (!hasCode(error, 'ENOENT', 'ENOTDIR', 'EACCES', 'EROFS')) throw error;
    throw preconditionFailed('no_place', `${dirname(file)} is no directory that can be written to.`);
  }
}

async function writeBackup(config: Config, file: string, interrupted: AbortSignal): Promise<string> {
  const dataDir = dataDirOf(config);
  await requirePlace(file);
  const server = await installedServer(config, toStandardError);
  try {
    const secret = await existingSecret(config);
    await requireOwnSecret(server.url, secret);
    await withDirectory(async (directory) => {
      const tables = join(directory, 'tables');
      await mkdir(tables);
      if (config.secret === undefined)
        await writeFile(join(directory, 'secret'), `${secret}\n`, { mode: 0o600 });
      // A picture stays for minutes after its last mention, and is there before its first: now all are there.
      const copyAll = async () => {
        for (const name of DIRECTORIES) await copyFiles(join(dataDir, name), join(directory, name));
      };
      const createdAt = new Date().toISOString();
      const migration = await unless(interrupted, () => dumpTables(server.url, tables, copyAll));
      const facts = { version: VERSION, migration, createdAt, secretHash: secretHashOf(secret) };
      await pack(directory, file, facts, interrupted);
    });
  } finally {
    await server.stop();
  }
  const { size } = await stat(file);
  return `${file} has everything as it was when the backup began (${size} bytes). It holds secrets: keep it like one.`;
}
