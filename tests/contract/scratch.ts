import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

export const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const MODULES = join(ROOT, 'node_modules');

const execute = promisify(execFile);

/** Runs a program to its end. @throws with everything that it printed, when it fails. */
export async function run(
  file: string,
  args: string[],
  options: { cwd?: string; env?: Record<string, string> } = {},
): Promise<string> {
  const env = { ...process.env, ...options.env };
  try {
    const { stdout } = await execute(file, args, {
      cwd: options.cwd ?? ROOT,
      env,
      maxBuffer: 32 * 1024 * 1024,
    });
    return stdout;
  } catch (error) {
    const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string };
    throw new Error(`${file} ${args.join(' ')} failed:\n${stdout}${stderr}`, { cause: error });
  }
}

/** Scripts of installed packages, started with this Node. */
const SCRIPTS = {
  tsc: 'typescript/bin/tsc',
  redocly: '@redocly/cli/bin/cli.js',
  'openapi-typescript': 'openapi-typescript/bin/cli.js',
  'openapi-ts': '@hey-api/openapi-ts/bin/run.js',
};

export const runTool = (tool: keyof typeof SCRIPTS, args: string[], cwd?: string): Promise<string> =>
  run(process.execPath, [join(MODULES, SCRIPTS[tool]), ...args], {
    ...(cwd === undefined ? {} : { cwd }),
    env: { NO_COLOR: '1', REDOCLY_TELEMETRY: 'off', REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true' },
  });

/** A project of somebody else, in a directory of its own: it sees the packages that it names and no others. */
export async function createScratch(packages: readonly string[]) {
  const directory = await mkdtemp(join(tmpdir(), 'tenantry-scratch-'));
  const pathOf = (name: string) => join(directory, name);
  async function write(name: string, text: string): Promise<void> {
    await mkdir(dirname(pathOf(name)), { recursive: true });
    await writeFile(pathOf(name), text);
  }
  await write('package.json', JSON.stringify({ name: 'scratch', private: true, type: 'module' }));
  for (const name of packages) {
    const link = join(directory, 'node_modules', name);
    await mkdir(dirname(link), { recursive: true });
    await symlink(join(MODULES, name), link, 'junction');
  }

  return {
    directory,
    pathOf,
    write,
    /** Checks `files` under strict rules as a bundler's or as Node's. */
    compile: (files: string[], resolution: 'nodenext' | 'bundler' = 'nodenext') =>
      runTool(
        'tsc',
        [
          ...['--strict', '--noEmit', '--skipLibCheck', '--target', 'es2023', '--types', 'node'],
          ...[
            '--module',
            resolution === 'nodenext' ? 'nodenext' : 'esnext',
            '--moduleResolution',
            resolution,
          ],
          ...files,
        ],
        directory,
      ),
    /** Runs a TypeScript program and reads what it prints as JSON. */
    async runProgram(file: string, env: Record<string, string>): Promise<unknown> {
      const output = await run(process.execPath, ['--import', import.meta.resolve('tsx'), pathOf(file)], {
        cwd: directory,
        env,
      });
      return JSON.parse(output);
    },
    [Symbol.asyncDispose]: () => rm(directory, { recursive: true, force: true }),
  };
}
export type Scratch = Awaited<ReturnType<typeof createScratch>>;
