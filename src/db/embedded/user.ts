import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { EmbeddedServerError } from './error.ts';

/** PostgreSQL refuses to run as root: as root, the server runs as this user. */
export type ServerUser = { uid: number; gid: number };

/** Where root keeps what the server's user has to reach. */
export const SHARED_DIRECTORY = '/var/lib/tenantry';

const NOBODY: ServerUser = { uid: 65534, gid: 65534 };

/**
 * Where data goes when the operator names no directory: `<cwd>/data`. As root, when the server's user cannot get
 * there (a checkout in /root), a directory in /var/lib/tenantry that depends on `cwd` only.
 */
export function defaultDataDirectory(cwd: string): string {
  const directory = join(resolve(cwd), 'data');
  if (!isRoot()) return directory;
  // a stranger stands in for a user that does not exist yet: both have only the rights of everyone
  const user = ownerOf(join(directory, 'postgres')) ?? lookUp('postgres') ?? NOBODY;
  if (firstBarrier(directory, user) === undefined) return directory;
  const name = createHash('sha256').update(resolve(cwd)).digest('hex').slice(0, 12);
  return join(SHARED_DIRECTORY, name);
}

/**
 * The user that the server has to run as, or undefined when that is the user of this process. As root it is the
 * cluster's owner, or else `postgres`, who is created when missing.
 */
export function findServerUser(cluster: string): ServerUser | undefined {
  if (!isRoot()) return undefined;
  return ownerOf(cluster) ?? lookUp('postgres') ?? createUser('postgres');
}

/** @throws EmbeddedServerError when `user` cannot get to `directory` (or what exists of its path) */
export function requirePassage(directory: string, user: ServerUser): void {
  const barrier = firstBarrier(directory, user);
  if (barrier === undefined) return;
  throw new EmbeddedServerError(
    `The data directory ${directory} cannot be used: PostgreSQL does not run as root, and the user it runs as ` +
      `(uid ${user.uid}) may not enter ${barrier}. Set DATA_DIR to a directory that every user can reach, ` +
      `such as ${SHARED_DIRECTORY}/data.`,
  );
}

function isRoot(): boolean {
  return process.geteuid?.() === 0;
}

/** The owner of a directory, unless it is missing or root's. */
function ownerOf(directory: string): ServerUser | undefined {
  if (!existsSync(directory)) return undefined;
  const { uid, gid } = statSync(directory);
  return uid === 0 ? undefined : { uid, gid };
}

/** The first existing directory on the way to `directory`, itself included, that `user` may not enter. */
function firstBarrier(directory: string, user: ServerUser): string | undefined {
  const path: string[] = [];
  for (let at = resolve(directory); ; at = dirname(at)) {
    if (existsSync(at) && statSync(at).isDirectory()) path.unshift(at);
    if (at === dirname(at)) break;
  }
  // the system decides, not the mode bits: there are access lists, and file systems of their own mind
  const script = 'for d in "$@"; do cd "$d" 2>/dev/null || { printf %s "$d"; exit 1; }; done';
  const shell = spawnSync('/bin/sh', ['-c', script, 'sh', ...path], { ...user, cwd: '/', encoding: 'utf8' });
  if (shell.error) {
    throw new EmbeddedServerError(
      `PostgreSQL does not run as root, and this process cannot start programs as another user (uid ${user.uid}): ` +
        `${shell.error.message}. Start as an ordinary user, or set DATABASE_URL to a PostgreSQL server.`,
      { cause: shell.error },
    );
  }
  return shell.status === 0 ? undefined : shell.stdout;
}

function lookUp(name: string): ServerUser | undefined {
  const [uid, gid] = ['-u', '-g'].map((option) => {
    const id = spawnSync('id', [option, name], { encoding: 'utf8' });
    return id.status === 0 ? Number.parseInt(id.stdout, 10) : Number.NaN;
  });
  if (uid === undefined || gid === undefined || Number.isNaN(uid) || Number.isNaN(gid)) return undefined;
  return { uid, gid };
}

function createUser(name: string): ServerUser {
  // the group may exist already, and another process may be doing the same: only the outcome counts
  spawnSync('groupadd', ['--system', name]);
  const home = ['--home-dir', '/nonexistent', '--no-create-home', '--shell', '/usr/sbin/nologin'];
  const useradd = spawnSync('useradd', ['--system', '--gid', name, ...home, name], { encoding: 'utf8' });
  const user = lookUp(name);
  if (user) return user;
  const reason = useradd.error?.message ?? useradd.stderr.trim();
  throw new EmbeddedServerError(
    `PostgreSQL does not run as root, and the user '${name}' for it could not be created (${reason}). ` +
      `Create that user, start as an ordinary user, or set DATABASE_URL to a PostgreSQL server.`,
  );
}
