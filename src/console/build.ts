import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';

/* Builds the console into dist/console, unless what lies there was made from these very sources. */

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const OUTPUT = join(ROOT, 'dist/console');
const STAMP = join(OUTPUT, 'sources.sha256');
/** Whatever the console is made of; the lockfile stands for the libraries. */
const SOURCES = ['src/console', 'src/client', 'src/kernel', 'package-lock.json'];
const COMPRESSIBLE = /\.(?:html|js|css|svg)$/;

async function filesOf(path: string): Promise<string[]> {
  if (path.endsWith('.json')) return [path];
  const entries = await readdir(path, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}

async function hashOfSources(): Promise<string> {
  const files = (await Promise.all(SOURCES.map((source) => filesOf(join(ROOT, source))))).flat().sort();
  const hash = createHash('sha256');
  for (const file of files) {
    hash.update(`${file.slice(ROOT.length)}\n`).update(await readFile(file));
  }
  return hash.digest('hex');
}

/** Beside each file, so that the service sends it without compressing anything. */
async function compress(): Promise<void> {
  const files = (await filesOf(OUTPUT)).filter((file) => COMPRESSIBLE.test(file));
  await Promise.all(
    files.map(async (file) => {
      const content = await readFile(file);
      const params = { [constants.BROTLI_PARAM_SIZE_HINT]: content.length };
      await writeFile(`${file}.br`, await promisify(brotliCompress)(content, { params }));
      await writeFile(`${file}.gz`, await promisify(gzip)(content, { level: 9 }));
    }),
  );
}

const wanted = await hashOfSources();
const built = existsSync(STAMP) ? await readFile(STAMP, 'utf8') : '';
if (built !== wanted) {
  const { build } = await import('vite');
  await build({ configFile: fileURLToPath(new URL('vite.config.ts', import.meta.url)), logLevel: 'warn' });
  await compress();
  await writeFile(STAMP, wanted);
}
