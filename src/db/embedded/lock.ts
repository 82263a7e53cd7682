import { randomBytes } from 'node:crypto';
import { type FileHandle, link, open, readdir, readFile, readlink, rename, rm, stat } from 'node:fs/promises';
import { hostname } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { EmbeddedServerError, hasCode } from './error.ts';
import { inspect } from './process.ts';

// Only the living hold a lock. One file, written aside and linked into place, is the lock. A lock whose process
// has gone is never removed: whoever links `tenantry.lock.<its token>` first may replace it, and should that
// one die too before doing so, the successor of the successor may. Tokens are never used twice, so a
// contender that was slow finds at worst that the lock it judged has been replaced, and looks again.

const Holder = z.object({
  pid: z.int().positive(),
  start: z.string(),
  /** names the running kernel and pid namespace: pids of another one cannot be looked up */
  place: z.string(),
  host: z.string(),
  token: z.string(),
});
type Holder = z.infer<typeof Holder>;
type Link = Holder & { path: string };

/** How often the holder touches its lock, and how long another host or container waits to see that; ms. */
const BEAT = 2_000;
const PATIENCE = 5_000;

/**
 * Takes `<directory>/tenantry.lock` for this process.
 * @returns releases it
 * @throws EmbeddedServerError naming the living process that holds it
 */
export async function acquireLock(directory: string): Promise<() => Promise<void>> {
  const path = join(directory, 'tenantry.lock');
  const mine = await describeSelf();
  const draft = `${path}.${mine.token}.draft`;
  const handle = await open(draft, 'wx', 0o600);
  try {
    await handle.writeFile(JSON.stringify(mine));
    // or a power failure could leave a lock without content
    await handle.sync();
    for (;;) {
      const chain = await readChain(path);
      const last = chain.at(-1);
      if (last && (await isAlive(last, mine))) throw held(directory, last, mine);
      if (await claim(draft, path, chain)) break;
    }
    await removeLeftovers(path, mine.token);
  } catch (error) {
    await handle.close();
    throw error;
  } finally {
    await rm(draft, { force: true });
  }
  return holdLock(path, mine, handle);
}

function holdLock(path: string, mine: Holder, handle: FileHandle): () => Promise<void> {
  const beat = setInterval(() => {
    // a failing disk fails the server loudly enough, and pids still guard against processes of this host
    handle.utimes(new Date(), new Date()).catch(() => {});
  }, BEAT);
  beat.unref();
  return async () => {
    clearInterval(beat);
    await handle.close();
    const current = await readHolder(path);
    if (current?.token === mine.token) await rm(path, { force: true });
  };
}

/** The lock and those who set out to replace it, oldest first. */
async function readChain(path: string): Promise<Link[]> {
  const chain: Link[] = [];
  let next = path;
  for (;;) {
    const holder = await readHolder(next);
    if (!holder) return chain;
    chain.push({ ...holder, path: next });
    next = `${path}.${holder.token}`;
  }
}

/** Tries to become the holder, with everyone in the chain dead. False: somebody was faster, look again. */
async function claim(draft: string, path: string, chain: Link[]): Promise<boolean> {
  const [first, last] = [chain[0], chain.at(-1)];
  const place = last ? `${path}.${last.token}` : path;
  try {
    await link(draft, place);
  } catch (error) {
    if (hasCode(error, 'EEXIST')) return false;
    throw error;
  }
  if (!first) return true;
  if ((await readHolder(path))?.token !== first.token) {
    await rm(place, { force: true });
    return false;
  }
  await rename(place, path);
  return true;
}

async function readHolder(path: string): Promise<Holder | undefined> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined;
    throw error;
  }
  try {
    return Holder.parse(JSON.parse(text));
  } catch (cause) {
    throw new EmbeddedServerError(
      `The lock ${path} is damaged. Make sure that no other process uses this data directory, then remove the file.`,
      { cause },
    );
  }
}

async function isAlive(holder: Link, mine: Holder): Promise<boolean> {
  if (holder.place === mine.place) return (await inspect(holder.pid))?.start === holder.start;
  // another container, another host or before a reboot: alive if it touches its file
  const before = await modified(holder.path);
  for (const deadline = Date.now() + PATIENCE; Date.now() < deadline; await sleep(50)) {
    const now = await modified(holder.path);
    if (now === undefined) return false;
    if (now !== before) return true;
  }
  return false;
}

async function modified(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).mtimeMs;
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined;
    throw error;
  }
}

function held(directory: string, holder: Holder, mine: Holder): EmbeddedServerError {
  const where = holder.place === mine.place ? '' : ` on ${holder.host} (another host or container)`;
  return new EmbeddedServerError(
    `The data directory ${directory} is in use by process ${holder.pid}${where}. ` +
      'Stop that one first, or set DATA_DIR to another directory.',
  );
}

async function describeSelf(): Promise<Holder> {
  const facts = await inspect(process.pid);
  if (!facts)
    throw new EmbeddedServerError('The system does not tell when this process started: is /proc mounted?');
  const token = randomBytes(12).toString('hex');
  return { pid: process.pid, start: facts.start, place: await pidSpace(), host: hostname(), token };
}

async function pidSpace(): Promise<string> {
  // elsewhere there are no pid namespaces, and the start time alone tells a reboot
  if (process.platform !== 'linux') return `${process.platform} ${hostname()}`;
  const boot = await readFile('/proc/sys/kernel/random/boot_id', 'utf8');
  return `${boot.trim()} ${await readlink('/proc/self/ns/pid')}`;
}

/** Removes what processes killed in the act left behind; their tokens are dead while we hold the lock. */
async function removeLeftovers(path: string, token: string): Promise<void> {
  const names = (await readdir(dirname(path))).filter((name) => name.startsWith(`${basename(path)}.`));
  for (const name of names.filter((name) => !name.includes(token))) {
    const file = join(dirname(path), name);
    const age = Date.now() - ((await modified(file)) ?? Date.now());
    // a young draft belongs to a contender that is about to be refused
    if (!name.endsWith('.draft') || age > 60_000) await rm(file, { force: true });
  }
}
