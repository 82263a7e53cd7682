import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chown, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { type Binaries, ENVIRONMENT } from './binaries.ts';
import { EmbeddedServerError, hasCode } from './error.ts';
import { exists, giveTo, moveTo, writeSecret } from './files.ts';
import type { ServerUser } from './user.ts';

const run = promisify(execFile);

/** The name of the database and of the role that owns it. */
export const NAME = 'tenantry';

type Place = { directory: string; cluster: string; binaries: Binaries; user: ServerUser | undefined };

/**
 * Sees that `cluster` is a data directory that our PostgreSQL can run, and creates it when there is none yet.
 * The caller holds the lock.
 * @returns the password of the role `tenantry`
 */
export async function prepareCluster(place: Place): Promise<string> {
  const { directory, cluster } = place;
  for (const name of await readdir(directory)) {
    // a first start that was killed; initdb may still be at it for a moment
    if (name.startsWith('postgres.new-'))
      await rm(join(directory, name), { recursive: true, maxRetries: 10 });
  }
  await checkOwner(place);
  const isNew = await isMissingOrEmpty(cluster);
  const password = await readPassword(directory, isNew);
  if (isNew) await createCluster(place, password);
  else await checkVersion(place);
  return password;
}

async function isMissingOrEmpty(cluster: string): Promise<boolean> {
  return !(await exists(cluster)) || (await readdir(cluster)).length === 0;
}

async function readPassword(directory: string, isNew: boolean): Promise<string> {
  const path = join(directory, 'postgres.password');
  if (await exists(path)) return (await readFile(path, 'utf8')).trim();
  if (!isNew) {
    throw new EmbeddedServerError(
      `The data directory ${directory} holds a database but not its password: ${path} is missing. ` +
        'Restore that file from a backup.',
    );
  }
  const password = randomBytes(32).toString('base64url');
  await writeSecret(path, `${password}\n`);
  return password;
}

async function createCluster({ directory, cluster, binaries, user }: Place, password: string): Promise<void> {
  const draft = await mkdtemp(join(directory, 'postgres.new-'));
  const passwordFile = join(draft, 'password');
  try {
    await writeFile(passwordFile, password, { mode: 0o600 });
    if (user) {
      await chown(passwordFile, user.uid, user.gid);
      await chown(draft, user.uid, user.gid);
    }
    await initialise(binaries.initdb, join(draft, 'cluster'), passwordFile, user);
    await moveTo(join(draft, 'cluster'), cluster);
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}

async function initialise(
  initdb: string,
  cluster: string,
  passwordFile: string,
  user: ServerUser | undefined,
) {
  // PostgreSQL's own C.UTF-8: the same order of text on every system, whatever locales it has
  const locale = ['--encoding=UTF8', '--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8'];
  const access = ['--auth=scram-sha-256', `--username=${NAME}`, `--pwfile=${passwordFile}`];
  try {
    const options = ['-D', cluster, ...locale, ...access, '--no-instructions'];
    await run(initdb, options, { ...user, cwd: '/', env: ENVIRONMENT });
  } catch (cause) {
    throw new EmbeddedServerError(
      `PostgreSQL could not create its database in ${dirname(dirname(cluster))}: ${reasonOf(cause)}. ` +
        'Solve that (most often it is a full or failing disk), or set DATA_DIR to another directory.',
      { cause },
    );
  }
}

/** initdb ends by saying that it cleans up: the first line with an error tells more. */
function reasonOf(error: unknown): string {
  const output = error instanceof Error && 'stderr' in error ? String(error.stderr).trim() : '';
  const lines = output.split('\n');
  const line = lines.find((line) => /error:|fatal:|panic:/i.test(line)) ?? lines.at(-1);
  // without the time and the process
  return (
    line?.replace(/^[\d-]+ [\d:.]+ UTC \[\d+\] /, '') ||
    (error instanceof Error ? error.message : String(error))
  );
}

async function checkOwner({ cluster, user }: Place): Promise<void> {
  if (!(await exists(cluster))) return;
  const { uid } = await stat(cluster);
  // root's own: root put a backup back
  if (user && uid === 0) await giveTo(user, cluster);
  if (user || uid === process.geteuid?.()) return;
  throw new EmbeddedServerError(
    `The database in ${cluster} belongs to another user (uid ${uid}; this process has uid ${process.geteuid?.()}). ` +
      'Start as that user, or set DATA_DIR to another directory.',
  );
}

async function checkVersion({ cluster, binaries }: Place): Promise<void> {
  const version = await readVersion(cluster);
  if (version === binaries.major) return;
  throw new EmbeddedServerError(
    `The database in ${cluster} was made by PostgreSQL ${version}, but this version of Tenantry brings ${binaries.major}. ` +
      'Nothing was changed. Write it out with the version of Tenantry that has run it (`tenantry backup <file>`), and make ' +
      'an installation of that file with this one in an empty DATA_DIR (`tenantry restore <file>`): docs/backup.md has ' +
      'the steps.',
  );
}

async function readVersion(cluster: string): Promise<string> {
  try {
    return (await readFile(join(cluster, 'PG_VERSION'), 'utf8')).trim();
  } catch (error) {
    if (!hasCode(error, 'ENOENT')) throw error;
    throw new EmbeddedServerError(
      `${cluster} is not empty and not a PostgreSQL database (it has no PG_VERSION). ` +
        'Move it away, or set DATA_DIR to another directory.',
    );
  }
}
