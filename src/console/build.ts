import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';

/* Builds the console into dist/console, unless what lies there was made from these very sources. */

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const OUTPUT = join(ROOT, 'dist/console');
const STAMP = 'sources.sha256';
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
async function compress(directory: string): Promise<void> {
  const files = (await filesOf(directory)).filter((file) => COMPRESSIBLE.test(file));
  await Promise.all(
    files.map(async (file) => {
      const content = await readFile(file);
      const params = { [constants.BROTLI_PARAM_SIZE_HINT]: content.length };
      await writeFile(`${file}.br`, await promisify(brotliCompress)(content, { params }));
      await writeFile(`${file}.gz`, await promisify(gzip)(content, { level: 9 }));
    }),
  );
}

/**
 * Without the development dependencies the service runs all the same; Vite itself may have come along with another
 * package.
 */
const canBuild = (): boolean => existsSync(join(ROOT, 'node_modules/@vitejs/plugin-react'));

const hashOfBuilt = async (): Promise<string> => {
  const stamp = join(OUTPUT, STAMP);
  return existsSync(stamp) ? readFile(stamp, 'utf8') : '';
};

/** Aside first, and then in its place at once: nobody is served a half, and two may build at the same time. */
async function build(hash: string): Promise<void> {
  process.env.NODE_ENV = 'production'; // whoever starts it: a test would get React for development
  const { build } = await import('vite');
  await mkdir(dirname(OUTPUT), { recursive: true });
  const aside = await mkdtemp(`${OUTPUT}-`);
  try {
    await build({
      configFile: fileURLToPath(new URL('vite.config.ts', import.meta.url)),
      logLevel: 'warn',
      build: { outDir: aside },
    });
    await compress(aside);
    await writeFile(join(aside, STAMP), hash);
    await chmod(aside, 0o755);
    await rm(OUTPUT, { recursive: true, force: true });
    await rename(aside, OUTPUT);
  } catch (error) {
    if ((await hashOfBuilt()) !== hash) throw error; // somebody else's build of the same was there first
  } finally {
    await rm(aside, { recursive: true, force: true });
  }
}

const wanted = await hashOfSources();
if ((await hashOfBuilt()) !== wanted) {
  if (canBuild()) await build(wanted);
  else process.stderr.write('The console is not built: that needs the development dependencies.\n');
}
