import { link, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { newSecret, randomSuffix } from './kernel/secrets.ts';

/** The server's secret: generated into the data directory at first start, and read from there afterwards. */
export async function loadSecret(dataDir: string): Promise<string> {
  await mkdir(dataDir, { recursive: true });
  const file = join(dataDir, 'secret');
  // Written whole beside its place and linked into it: a second process, or a crash, finds all of it or nothing.
  const draft = `${file}.${randomSuffix(8)}`;
  await writeFile(draft, `${newSecret()}\n`, { mode: 0o600, flush: true });
  await link(draft, file).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error;
  });
  await rm(draft);
  return (await readFile(file, 'utf8')).trim();
}
