import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

/*
 * What comes before npm start and npm run tenantry: the sources of both are put together as JavaScript, which starts in
 * half the time that a loader takes to translate them one by one, and the console is built. What is there already is left
 * alone.
 */

const pathOf = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
/** As deep as the sources, which go by their own place when they look for what lies beside src. */
const DIRECTORY = pathOf('../dist/service');

const { outputFiles } = await build({
  entryPoints: { main: pathOf('main.ts'), tenantry: pathOf('cli/index.ts') },
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
// What is shared has a name of its content, and is there before those that start it: two may build at the same time.
const isStart = ({ path }: { path: string }): boolean => /[/\\](?:main|tenantry)\.js$/.test(path);
const inOrder = outputFiles.toSorted((a, b) => Number(isStart(a)) - Number(isStart(b)));
for (const { path, text } of inOrder) {
  if (existsSync(path) && (await readFile(path, 'utf8')) === text) continue;
  const aside = `${path}.${process.pid}`;
  await writeFile(aside, text);
  await rename(aside, path);
}
await import('./console/build.ts');
