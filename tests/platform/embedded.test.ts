import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import postgres from 'postgres';
import { afterAll, afterEach, expect, test, vi } from 'vitest';
import { readConfig } from '../../src/config.ts';
import { ownServer } from '../../src/database.ts';
import { findBinaries } from '../../src/db/embedded/binaries.ts';
import { defaultDataDirectory, EmbeddedServerError, startEmbedded } from '../../src/db/embedded/index.ts';
import { readPostmasterFile } from '../../src/db/embedded/orphan.ts';
import { inspect, inspectPs, isPostmaster } from '../../src/db/embedded/process.ts';
import { runServer } from '../../src/db/embedded/server.ts';
import { findServerUser } from '../../src/db/embedded/user.ts';
import { freePort } from '../support/service.ts';

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

const isRoot = process.geteuid?.() === 0;
const NOBODY = { uid: 65534, gid: 65534 };
/** As root the tests run processes as another user, who must be able to read this checkout. */
const canBeNobody = isRoot && spawnSync('test', ['-r', resolve('package.json')], NOBODY).status === 0;
const settings = { fsync: 'off' };
const undo: (() => unknown)[] = [];
let prototype: Promise<string> | undefined;

afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step();
});

afterAll(async () => {
  if (prototype) await rm(await prototype, { recursive: true });
});

test('takes the connections of the largest pool, and those of commands beside it', async () => {
  const config = readConfig({ DATA_DIR: await temporary(), DATABASE_POOL_SIZE: '200' });
  const server = await ownServer(config, { info: ignore, error: ignore }, ignore);
  undo.push(() => server.stop());
  const [row] = await query(server.url, `select current_setting('max_connections')::int as connections`);
  expect(row?.connections).toBeGreaterThanOrEqual(210);
});

test('keeps its data from one start to the next, on 127.0.0.1 only', async () => {
  const directory = await temporary();
  const first = await start(directory);
  expect(first.url).toMatch(/^postgres:\/\/tenantry:[\w-]{43}@127\.0\.0\.1:\d+\/tenantry$/);
  await query(first.url, 'create table notes (text text)');
  await query(first.url, `insert into notes values ('kept')`);
  const [facts] = await query(
    first.url,
    `select current_setting('timezone') as zone, current_setting('server_encoding') as encoding, datlocale as locale,
       current_setting('listen_addresses') as addresses, current_setting('unix_socket_directories') as sockets,
       current_setting('data_checksums') as checksums
     from pg_database where datname = current_database()`,
  );
  expect(facts).toEqual({
    zone: 'UTC',
    encoding: 'UTF8',
    locale: 'C.UTF-8',
    addresses: '127.0.0.1',
    sockets: '',
    checksums: 'on',
  });
  await Promise.all([first.stop(), first.stop()]);
  expect((await readdir(directory)).sort()).toEqual(['postgres', 'postgres.password']);
  expect((await stat(join(directory, 'postgres.password'))).mode & 0o777).toBe(0o600);

  const second = await start(directory);
  expect(await query(second.url, 'select text from notes')).toEqual([{ text: 'kept' }]);
});

test('stop() ends the connections of clients and the process', async () => {
  const directory = await existing();
  const server = await start(directory);
  const outcome = await sleepingClient(server.url);
  const pid = await postmasterOf(directory);
  await server.stop();
  expect(await outcome()).toBe('cut off');
  expect(await inspect(pid)).toBeUndefined();
});

test('refuses a second process and names the first', async () => {
  const directory = await existing();
  await start(directory);
  const second = await service(directory);
  const refused = await second.go();
  expect(refused).toMatchObject({ name: 'EmbeddedServerError' });
  expect(refused.error).toContain(`in use by process ${process.pid}.`);
  await expect(start(directory)).rejects.toThrow(`in use by process ${process.pid}.`);
});

test('takes over from a killed service whose server lives on, with all that was acknowledged', async () => {
  const directory = await existing();
  const killed = await service(directory);
  const { url } = await killed.go();
  await query(url, 'create table notes (text text)');
  await query(url, `insert into notes values ('acknowledged')`);
  const orphan = await postmasterOf(directory);
  await killed.kill();
  expect(await isPostmaster(orphan, join(directory, 'postgres'))).toBe(true);

  const messages: string[] = [];
  const server = await start(directory, { log: (message) => messages.push(message) });
  expect(messages).toEqual([expect.stringContaining(`process ${orphan}`)]);
  expect(await inspect(orphan)).toBeUndefined();
  expect(await query(server.url, 'select text from notes')).toEqual([{ text: 'acknowledged' }]);
});

test('starts at once after service and server were killed together', async () => {
  const directory = await existing();
  const killed = await service(directory);
  const { url } = await killed.go();
  await query(url, 'create table notes (text text)');
  const outcome = await sleepingClient(url);
  process.kill(await postmasterOf(directory), 'SIGKILL');
  await killed.kill();
  const server = await start(directory);
  expect(await query(server.url, 'select text from notes')).toEqual([]);
  expect(await outcome()).toBe('cut off');
});

test('reports an end that nobody asked for', async () => {
  const directory = await existing();
  const onExit = vi.fn();
  const server = await start(directory, { onExit });
  process.kill(await postmasterOf(directory), 'SIGKILL');
  await vi.waitUntil(() => onExit.mock.calls.length);
  expect(onExit).toHaveBeenCalledExactlyOnceWith(expect.stringContaining('SIGKILL'));
  await server.stop();
  const next = await start(directory);
  await next.stop();
  expect(onExit).toHaveBeenCalledTimes(1);
});

test('leaves nothing behind when the server refuses to start', async () => {
  const directory = await existing();
  await expect(start(directory, { settings: { shared_buffers: 'plenty' } })).rejects.toThrow(
    /did not start .*invalid value for parameter "shared_buffers"/,
  );
  expect((await readdir(directory)).sort()).toEqual(['postgres', 'postgres.password']);
  const server = await start(directory);
  await server.stop();
});

test('repeats a first start that was killed', async () => {
  const directory = await temporary();
  const killed = await service(directory);
  void killed.go();
  await vi.waitUntil(
    async () => (await readdir(directory)).some((name) => name.startsWith('postgres.new-')),
    {
      interval: 5,
      timeout: 30_000,
    },
  );
  await killed.kill();
  expect(await readdir(directory)).not.toContain('postgres');
  await start(directory);
  expect((await readdir(directory)).sort()).toEqual(['postgres', 'postgres.password', 'tenantry.lock']);
});

test('takes over the lock of a process that has gone, or whose pid is another by now', async () => {
  const directory = await existing();
  const server = await start(directory);
  const lock = JSON.parse(await readFile(join(directory, 'tenantry.lock'), 'utf8'));
  await server.stop();
  const gone = spawn('true');
  await once(gone, 'exit');
  // the second is what a container sees, where every service has the same pid
  for (const stale of [{ pid: gone.pid }, { start: '1' }]) {
    await writeFile(join(directory, 'tenantry.lock'), JSON.stringify({ ...lock, ...stale }));
    const next = await start(directory);
    await next.stop();
  }
});

test('believes a lock of another container as long as that one is touched', async () => {
  const directory = await existing();
  const server = await start(directory);
  const path = join(directory, 'tenantry.lock');
  const lock = JSON.parse(await readFile(path, 'utf8'));
  await server.stop();
  await writeFile(path, JSON.stringify({ ...lock, pid: 1, place: 'elsewhere', host: 'other-container' }));
  const beat = setInterval(() => utimes(path, new Date(), new Date()), 500);
  undo.push(() => clearInterval(beat));
  await expect(start(directory)).rejects.toThrow('in use by process 1 on other-container');
  clearInterval(beat);
  await start(directory);
});

test('a holder touches its lock', async () => {
  const directory = await existing();
  await start(directory);
  const path = join(directory, 'tenantry.lock');
  const { mtimeMs } = await stat(path);
  await vi.waitUntil(async () => (await stat(path)).mtimeMs > mtimeMs, { timeout: 10_000 });
});

test('of processes that start at the same instant exactly one wins, with and without a stale lock', async () => {
  const directory = await existing();
  const killed = await service(directory);
  await killed.go();
  await killed.kill();
  for (const round of ['stale lock', 'no lock']) {
    const contenders = await Promise.all(Array.from({ length: 4 }, () => service(directory)));
    const outcomes = await Promise.all(contenders.map((contender) => contender.go()));
    expect(
      outcomes.filter((outcome) => 'url' in outcome),
      round,
    ).toHaveLength(1);
    for (const { error } of outcomes.filter((outcome) => 'error' in outcome))
      expect(error).toContain('in use by process');
    for (const contender of contenders) await contender.end();
  }
});

test('a stale postmaster.pid with the pid of something else does not matter', async () => {
  const directory = await existing();
  const cluster = join(directory, 'postgres');
  const server = await start(directory);
  const file = await readFile(join(cluster, 'postmaster.pid'), 'utf8');
  await server.stop();
  const { uid, gid } = await stat(cluster);
  const bystander = spawn('sleep', ['600'], { uid, gid });
  undo.push(() => bystander.kill());
  await writeFile(join(cluster, 'postmaster.pid'), file.replace(/^\d+/, String(bystander.pid)));
  await start(directory);
  expect(bystander.exitCode ?? bystander.signalCode).toBeNull();
});

test('tries another port when somebody else was faster', async () => {
  const directory = await existing();
  const cluster = join(directory, 'postgres');
  const taken = createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  undo.push(() => taken.close());
  const address = taken.address();
  const port = address !== null && typeof address === 'object' ? address.port : 0;
  const user = findServerUser(cluster);
  const { postgres } = await findBinaries(user, ignore);
  const ports = [port, port, 0];
  const messages: string[] = [];
  const pickPort = async () => ports.shift() || (await freePort());
  const log = (message: string) => messages.push(message);
  const server = await runServer({ postgres, cluster, user, settings, log, pickPort });
  undo.push(() => server.stop());
  expect(ports).toEqual([]);
  expect(server.port).not.toBe(port);
  expect(messages).toEqual([]);
});

test('a cluster of another major version is refused in words, and left as it is', async () => {
  const directory = await temporary();
  await mkdir(join(directory, 'postgres'));
  await writeFile(join(directory, 'postgres', 'PG_VERSION'), '15\n');
  await writeFile(join(directory, 'postgres.password'), 'secret\n');
  const contents = async () => {
    const names = (await readdir(directory, { recursive: true })).sort();
    const isFile = async (name: string) => (await stat(join(directory, name))).isFile();
    return Promise.all(
      names.map(async (name) => [
        name,
        (await isFile(name)) && (await readFile(join(directory, name), 'utf8')),
      ]),
    );
  };
  const before = await contents();
  const refusal = /was made by PostgreSQL 15, but this version .* 18\. .*tenantry backup .*tenantry restore/;
  await expect(start(directory)).rejects.toThrow(refusal);
  expect(await contents()).toEqual(before);
});

test('what is not a cluster, or has lost its password, is refused in words', async () => {
  const directory = await temporary();
  await mkdir(join(directory, 'postgres'));
  await writeFile(join(directory, 'postgres', 'holiday.jpg'), '');
  await expect(start(directory)).rejects.toThrow(/postgres\.password is missing/);
  await writeFile(join(directory, 'postgres.password'), 'secret\n');
  await expect(start(directory)).rejects.toThrow(/not a PostgreSQL database/);
});

test('a password that is not the database’s is refused in words', async () => {
  const directory = await existing();
  await writeFile(join(directory, 'postgres.password'), 'another\n');
  await expect(start(directory)).rejects.toThrow(/postgres\.password is not the one of the database/);
});

test('a directory that cannot be created is refused in words', async () => {
  const directory = await temporary();
  await writeFile(join(directory, 'file'), '');
  await expect(start(join(directory, 'file', 'data'))).rejects.toThrow(/a part of .*file/);
  await expect(start(join(directory, 'file'))).rejects.toThrow(/cannot be used: .*file/);
  await expect(start('/proc/data')).rejects.toThrow(/cannot be used: .*\/proc\/data/);
  await expect(start('data')).rejects.toThrow(/must be an absolute path/);
});

test.skipIf(isRoot && !canBeNobody)(
  'a directory that this user may not write is refused in words',
  async () => {
    const directory = await temporary();
    // root may write everywhere: there, a process of nobody tries
    if (!isRoot) await chmod(directory, 0o555);
    const stranger = await service(directory, isRoot ? NOBODY : {});
    const { error, name } = await stranger.go();
    expect(name).toBe('EmbeddedServerError');
    expect(error).toMatch(/no permission to create or use .*DATA_DIR/);
    if (!isRoot) await chmod(directory, 0o755);
  },
);

test.runIf(canBeNobody)(
  '(root only, in a checkout open to all) a cluster that belongs to somebody else is refused in words',
  async () => {
    const directory = await existing();
    await chmod(directory, 0o777);
    await chmod(join(directory, 'postgres.password'), 0o644);
    const stranger = await service(directory, NOBODY);
    expect((await stranger.go()).error).toMatch(
      /belongs to another user \(uid \d+; this process has uid 65534\)/,
    );
  },
);

test.runIf(canBeNobody)(
  '(root only, in a checkout open to all) runs over an ordinary user’s cluster as that user',
  async () => {
    const directory = await temporary();
    await chmod(directory, 0o777);
    const ordinary = await service(directory, NOBODY);
    expect(await ordinary.go()).toHaveProperty('url');
    await ordinary.end();
    await start(directory);
    const { uid } = await stat(`/proc/${await postmasterOf(directory)}`);
    expect(uid).toBe(65534);
    expect((await stat(join(directory, 'postgres'))).uid).toBe(65534);
  },
);

test.runIf(isRoot)('(root only) names the directory that the server’s user may not enter', async () => {
  const closed = await mkdtemp(join(tmpdir(), 'embedded-'));
  undo.push(() => rm(closed, { recursive: true }));
  const refused = start(join(closed, 'deep', 'data'));
  await expect(refused).rejects.toThrow(EmbeddedServerError);
  await expect(refused).rejects.toThrow(`may not enter ${closed}. Set DATA_DIR`);
  expect(await readdir(closed)).toEqual([]);
  expect(defaultDataDirectory(closed)).toMatch(/^\/var\/lib\/tenantry\/[0-9a-f]{12}$/);
});

test('the default data directory lies in the working directory', async () => {
  const directory = await temporary();
  expect(defaultDataDirectory(directory)).toBe(join(directory, 'data'));
});

test('the programs are there and run', async () => {
  const binaries = await findBinaries(findServerUser('/nonexistent'), ignore);
  expect(binaries.major).toBe('18');
});

test('ps tells the same about a process as /proc', async () => {
  const facts = await inspectPs(process.pid);
  expect(facts?.command).toContain('node');
  expect(await inspectPs(process.pid)).toEqual(facts);
  const gone = spawn('true');
  await once(gone, 'exit');
  expect(await inspectPs(gone.pid ?? 0)).toBeUndefined();
});

function ignore() {}

async function temporary(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'embedded-'));
  await chmod(directory, 0o755);
  undo.push(async () => {
    const cluster = join(directory, 'postgres');
    const pid = (await readPostmasterFile(cluster))?.pid;
    if (pid !== undefined && (await isPostmaster(pid, cluster))) {
      process.kill(pid, 'SIGQUIT');
      await vi.waitUntil(async () => !(await isPostmaster(pid, cluster)), { timeout: 20_000 });
    }
    await rm(directory, { recursive: true, maxRetries: 10 });
  });
  return directory;
}

/** A directory with a cluster that has been stopped: a copy, as creating one takes a second. */
async function existing(): Promise<string> {
  prototype ??= createPrototype();
  const directory = await temporary();
  await promisify(execFile)('cp', ['-a', `${await prototype}/.`, directory]);
  return directory;
}

async function createPrototype(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'embedded-'));
  await chmod(directory, 0o755);
  await (await startEmbedded({ directory, settings, log: ignore })).stop();
  return directory;
}

async function start(directory: string, options: Partial<Parameters<typeof startEmbedded>[0]> = {}) {
  const server = await startEmbedded({ directory, settings, log: ignore, ...options });
  undo.push(() => server.stop());
  return server;
}

async function query(url: string, text: string): Promise<Record<string, unknown>[]> {
  const sql = postgres(url, { max: 1, onnotice: ignore });
  try {
    return [...(await sql.unsafe(text))];
  } finally {
    await sql.end();
  }
}

/** A client in the middle of a query. Returns how that ends. */
async function sleepingClient(url: string) {
  const sql = postgres(url, { max: 1, onnotice: ignore });
  // postgres.js waits for ever for the end of a connection that broke in a query
  undo.push(() => sql.end({ timeout: 1 }));
  const outcome = sql`select pg_sleep(600)`.then(
    () => 'done',
    () => 'cut off',
  );
  const sleepers = `select from pg_stat_activity where wait_event = 'PgSleep'`;
  await vi.waitUntil(async () => (await query(url, sleepers)).length, { timeout: 20_000 });
  return () => outcome;
}

async function postmasterOf(directory: string): Promise<number> {
  const file = await readPostmasterFile(join(directory, 'postgres'));
  if (!file) throw new Error(`no server runs in ${directory}`);
  return file.pid;
}

type Outcome = { url: string; error: string; name: string };

/** A process of its own that loads the module, starts the server when told to, and stops it at the end of its input. */
async function service(directory: string, options: { uid?: number; gid?: number } = {}) {
  const script = `
    const { startEmbedded } = await import('./src/db/embedded/index.ts');
    const say = (message) => console.log(JSON.stringify(message));
    let server;
    process.stdin.once('data', async () => {
      try {
        server = await startEmbedded({ directory: process.argv[1], settings: { fsync: 'off' }, log() {} });
        say({ url: server.url });
      } catch (error) {
        say({ name: error.name, error: error.message });
      }
    });
    process.stdin.once('end', () => server?.stop());
    say('loaded');`;
  const child: ChildProcess = spawn(
    process.execPath,
    ['--import', 'tsx', '--input-type=module', '--eval', script, directory],
    { ...options, stdio: ['pipe', 'pipe', 'inherit'] },
  );
  const { stdin, stdout } = child;
  if (!stdin || !stdout) throw new Error('the service has no pipes');
  const exited = once(child, 'exit');
  const lines = createInterface({ input: stdout })[Symbol.asyncIterator]();
  const next = async () => JSON.parse((await lines.next()).value ?? 'null');
  const kill = async () => {
    child.kill('SIGKILL');
    await exited;
  };
  undo.push(kill);
  expect(await next()).toBe('loaded');
  return {
    kill,
    go: async (): Promise<Outcome> => {
      stdin.write('go');
      return next();
    },
    end: async () => {
      stdin.end();
      await exited;
    },
  };
}
