import { existsSync } from 'node:fs';
import { cp, mkdir, readdir, readFile, symlink } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createHarness, type Harness } from '../support/harness.ts';
import { createScratch, ROOT, run, type Scratch } from './scratch.ts';

/* What somebody gets who installs the package. */

const PROGRAM = `
import { createClient, type RouterOutputs, type TenantryClient } from 'tenantry/client';

type Organization = RouterOutputs['organization']['one'];

const { BASE_URL = '', API_KEY = '' } = process.env;
const tiers = await createClient({ baseUrl: BASE_URL + "/" }).portal.tiers.query(); // a slash at its end is none
const client: TenantryClient = createClient({ baseUrl: BASE_URL, apiKey: API_KEY });

const created: Organization = await client.organization.create.mutate({ name: 'Packed' });
const createdAt: Date = created.createdAt;
const [one, all] = await Promise.all([
  client.organization.one.query({ organizationId: created.id }),
  client.organization.all.query({ activeOnly: true }),
]);
const joinedAt: Date | undefined = all[0]?.members[0]?.createdAt;

// @ts-expect-error: the id is a string.
const refused = await client.organization.one.query({ organizationId: 7 }).catch((error) => error.data);
// @ts-expect-error: lines are for plain HTTP.
const lines: unknown = client.auditLog.export;
// @ts-expect-error: forms are for plain HTTP.
const form: unknown = client.user.uploadAvatar;
// @ts-expect-error: there is no such field.
const unknown: unknown = created.ownerRole;

console.log(JSON.stringify({
  name: one.name,
  areDates: [createdAt, one.updatedAt, joinedAt].map((date) => date instanceof Date),
  listed: all.some(({ id }) => id === created.id),
  refused: { httpStatus: refused.httpStatus, reason: refused.reason, field: refused.issues[0].path[0] },
  unknown: unknown === undefined,
  unserved: [lines, form].length,
  tiers: tiers.length,
}));
`;

type Manifest = {
  bin: Record<string, string>;
  exports: Record<string, Record<string, string>>;
  dependencies: Record<string, string>;
};

let h: Harness;
let scratch: Scratch;
let installed: string;
let manifest: Manifest;

/** What no clone of the repository has. */
const UNTRACKED = new Set(['node_modules', '.git', 'dist', 'data']);

/** Packs a copy, so that the build disturbs nobody who uses `dist` meanwhile. Returns the tarball's name. */
async function pack(directory: string): Promise<string> {
  const copy = join(directory, 'source');
  await cp(ROOT, copy, {
    recursive: true,
    filter: (path) => !UNTRACKED.has(relative(ROOT, path).split(sep)[0] ?? ''),
  });
  await symlink(join(ROOT, 'node_modules'), join(copy, 'node_modules'), 'junction');
  await run('npm', ['pack', '--silent', '--pack-destination', directory], { cwd: copy });
  const tarball = (await readdir(directory)).find((name) => name.endsWith('.tgz'));
  if (tarball === undefined) throw new Error('npm pack made no tarball.');
  return tarball;
}

beforeAll(async () => {
  h = await createHarness();
  const source = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8')) as Manifest;
  scratch = await createScratch([...Object.keys(source.dependencies), '@types/node']);
  installed = scratch.pathOf('node_modules/tenantry');
  await mkdir(installed);
  const tarball = await pack(scratch.directory);
  await run('tar', ['-xzf', tarball, '--strip-components=1', '-C', installed], { cwd: scratch.directory });
  manifest = JSON.parse(await readFile(join(installed, 'package.json'), 'utf8'));
}, 120_000);
afterAll(async () => {
  await scratch[Symbol.asyncDispose]();
  await h[Symbol.asyncDispose]();
});

/** The files below a directory, without their extension where `extension` is given; other files are left out then. */
async function filesOf(directory: string, extension = ''): Promise<string[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile() && entry.name.endsWith(extension))
    .map((entry) => join(entry.parentPath, entry.name).slice(directory.length + 1))
    .map((name) => name.slice(0, name.length - extension.length))
    .sort();
}

test('the package holds what it needs to run, and nothing else', async () => {
  const top = await readdir(installed);
  expect(top.sort()).toEqual(
    ['LICENSE', 'README.md', 'dist', 'drizzle', 'node_modules', 'openapi.json', 'package.json'].sort(),
  );
  const unwanted = (await filesOf(installed)).filter(
    (name) => !name.startsWith('node_modules/') && /\btests?\b|\.test\.|(?<!\.d)\.ts$/.test(name),
  );
  expect(unwanted).toEqual([]);
});

test('the driver comes along as it is patched, and nothing else does', async () => {
  expect(await readdir(join(installed, 'node_modules'))).toEqual(['postgres']);
  const shipped = await readFile(join(installed, 'node_modules/postgres/src/connection.js'), 'utf8');
  expect(shipped).toContain('chunk = nextWriteTimer = null\n    socket.removeListener');
});

const isConsole = (name: string) => name.startsWith('console/');
/** For those who start from the sources. */
const isBuild = (name: string) => name === 'build';

test('every source file was built, and nothing else', async () => {
  const [built, sources] = [
    await filesOf(join(installed, 'dist'), '.js'),
    await filesOf(join(ROOT, 'src'), '.ts'),
  ];
  expect(built.filter((name) => !isConsole(name))).toEqual(
    sources.filter((name) => !isConsole(name) && !isBuild(name)),
  );
});

test('the console comes along, built and compressed', async () => {
  const files = await filesOf(join(installed, 'dist/console'));
  const page = await readFile(join(installed, 'dist/console/index.html'), 'utf8');
  const named = [...page.matchAll(/(?:src|href)="\/([^"]+)"/g)].map(([, name = '']) => name);
  expect(named.length).toBeGreaterThan(2);
  expect(named.filter((name) => !files.includes(name))).toEqual([]);
  const scripts = files.filter((name) => name.endsWith('.js'));
  expect(scripts.filter((name) => !files.includes(`${name}.br`) || !files.includes(`${name}.gz`))).toEqual(
    [],
  );
});

test('what the manifest names is there', () => {
  const named = [...Object.values(manifest.bin), ...Object.values(manifest.exports).flatMap(Object.values)];
  expect(named).toContain('dist/cli/index.js');
  expect(named.filter((name) => !existsSync(join(installed, String(name))))).toEqual([]);
});

test('the command runs without the development dependencies', async () => {
  const [command = ''] = Object.values(manifest.bin);
  const document = await run(process.execPath, [join(installed, command), 'openapi'], {
    cwd: scratch.directory,
  });
  expect(document).toBe(await readFile(join(installed, 'openapi.json'), 'utf8'));
});

test('the client brings nothing of the server along', async () => {
  const code = await readFile(join(installed, 'dist/client/index.js'), 'utf8');
  const imports = [...code.matchAll(/from ['"]([^'"]+)['"]/g)].map(([, name]) => name);
  expect(imports).toEqual(['@trpc/client', 'superjson']);
});

test('the typed client compiles as a bundler and as Node resolve it, and works', async () => {
  await scratch.write('program.ts', PROGRAM);
  await scratch.compile(['program.ts'], 'nodenext');
  await scratch.compile(['program.ts'], 'bundler');

  const ada = await h.user();
  const { key } = await h.key(ada, { scope: 'user' });
  const answers = await scratch.runProgram('program.ts', { BASE_URL: h.baseUrl, API_KEY: key });
  expect(answers).toEqual({
    name: 'Packed',
    areDates: [true, true, true],
    listed: true,
    refused: { httpStatus: 400, reason: 'invalid_input', field: 'organizationId' },
    unknown: true,
    unserved: 2,
    tiers: 4,
  });
}, 60_000);
