import { link, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Config } from './config.ts';
import { dataDirOf } from './database.ts';
import { preconditionFailed } from './kernel/errors.ts';
import { newSecret, randomSuffix } from './kernel/secrets.ts';

const fileIn = (dataDir: string): string => join(dataDir, 'secret');
const readSecret = async (file: string): Promise<string> => (await readFile(file, 'utf8')).trim();

/** The secret of an installation that is there: another one would fit nothing in it. @throws PRECONDITION_FAILED */
export async function existingSecret(config: Config): Promise<string> {
  if (config.secret !== undefined) return config.secret;
  return readSecret(fileIn(dataDirOf(config))).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
    throw preconditionFailed(
      'no_secret',
      `DATA_DIR, which is ${dataDirOf(config)}, has no secret. Set AUTH_SECRET, as the service has it.`,
    );
  });
}

/** The server's secret: generated into the data directory at first start, and read from there afterwards. */
export async function loadSecret(dataDir: string): Promise<string> {
  await mkdir(dataDir, { recursive: true });
  const file = fileIn(dataDir);
  // Written whole beside its place and linked into it: a second process, or a crash, finds all of it or nothing.
  const draft = `${file}.${randomSuffix(8)}`;
  await writeFile(draft, `${newSecret()}\n`, { mode: 0o600, flush: true });
  await link(draft, file).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error;
  });
  await rm(draft);
  return readSecret(file);
}
