import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

/*
 * What npm start does first: the service's sources are put together as JavaScript, which starts in half the time that a
 * loader takes to translate them one by one, and the console is built. What is there already is left alone.
 */

const pathOf = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
/** As deep as the sources, which go by their own place when they look for what lies beside src. */
const DIRECTORY = pathOf('../dist/service');

const { outputFiles } = await build({
  entryPoints: [pathOf('main.ts')],
  outdir: DIRECTORY,
  bundle: true,
  splitting: true, // what is seldom used is loaded when it is
  packages: 'external',
  platform: 'node',
  format: 'esm',
  target: 'node20.19',
  write: false,
});
await mkdir(DIRECTORY, { recursive: true });
const main = outputFiles.filter(({ path }) => path.endsWith('/main.js'));
const chunks = outputFiles.filter((file) => !main.includes(file));
// The chunks have names of their content, so that main.js finds its own, whoever builds at the same time.
for (const { path, text } of [...chunks, ...main]) {
  if (existsSync(path) && (await readFile(path, 'utf8')) === text) continue;
  const aside = `${path}.${process.pid}`;
  await writeFile(aside, text);
  await rename(aside, path);
}
await import('./console/build.ts');
