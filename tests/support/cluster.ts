import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import postgres from 'postgres';
import { vi } from 'vitest';
import { blockOf, withValues } from './pages.ts';
import { createRedisServer, missingForRedis } from './redis.ts';
import { freePort, ROOT, type Service, startService, temporaryDirectory } from './service.ts';

const { PGBOUNCER = '/usr/sbin/pgbouncer' } = process.env;
/** The first that knows prepared statements in transaction mode. */
const OLDEST_PGBOUNCER = 1.21;
const HAPROXY = '/usr/sbin/haproxy';
const PAGE = 'scaling.md';
/** PgBouncer does not run as root. */
const UNPRIVILEGED = process.geteuid?.() === 0 ? { uid: 65534, gid: 65534 } : {};
/** Of docs/scaling.md, where the instances are. */
const ADDRESSES = ['10.0.0.11:3000', '10.0.0.12:3000', '10.0.0.13:3000'] as const;

/** Why several instances cannot be run here; undefined when they can. */
export const missingForCluster = (): string | undefined =>
  existsSync(HAPROXY) ? missingForRedis() : 'haproxy is not installed';

/** Why they are on PostgreSQL itself then; undefined when PgBouncer can be between. */
export function missingForPooling(): string | undefined {
  if (!existsSync(PGBOUNCER)) return 'pgbouncer is not installed';
  const [, version = '0'] =
    /^PgBouncer (\d+\.\d+)/.exec(execFileSync(PGBOUNCER, ['--version']).toString()) ?? [];
  return Number(version) < OLDEST_PGBOUNCER
    ? `PgBouncer ${version} is older than ${OLDEST_PGBOUNCER}`
    : undefined;
}

/** Starts a program and resolves when it takes connections on `port`. */
async function startProgram(program: string, args: string[], isReady: () => Promise<unknown>, user = {}) {
  const child: ChildProcess = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], ...user });
  const said: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (chunk: Buffer) => void said.push(chunk.toString()));
  }
  const ended = once(child, 'close');
  const stop = async () => {
    child.kill('SIGKILL');
    await ended;
  };
  try {
    await vi.waitFor(isReady, { timeout: 10_000, interval: 20 });
  } catch (cause) {
    await stop();
    throw new Error(`${program} is not ready: ${said.join('')}`, { cause });
  }
  return stop;
}

/** PgBouncer before the database at `url`, set up as docs/scaling.md says. */
async function startPgBouncer(url: URL, directory: string) {
  const port = String(await freePort());
  const [user, password] = [decodeURIComponent(url.username), decodeURIComponent(url.password) || 'any'];
  const database = url.pathname.slice(1);
  const users = join(directory, 'userlist.txt');
  await writeFile(users, `"${user}" "${password}"\n`, { mode: 0o644 });
  const settings = withValues(await blockOf(PAGE, 'pgbouncer.ini'), {
    'tenantry = host=10.0.0.20 port=5432 dbname=tenantry': `${database} = host=${url.hostname} port=${url.port} dbname=${database}`,
    '10.0.0.10': '127.0.0.1',
    '6432': port,
    '/etc/pgbouncer/userlist.txt': users,
  });
  const file = join(directory, 'pgbouncer.ini');
  await writeFile(file, `${settings}unix_socket_dir =\nadmin_users = tenantry\n`, {
    mode: 0o644,
  });
  const pooled = new URL(url);
  pooled.password = encodeURIComponent(password);
  Object.assign(pooled, { hostname: '127.0.0.1', port });
  const isReady = async () => {
    const sql = postgres(pooled.href, { max: 1, connect_timeout: 2 });
    await sql`select 1`.finally(() => sql.end({ timeout: 1 }));
  };
  return { url: pooled.href, stop: await startProgram(PGBOUNCER, [file], isReady, UNPRIVILEGED) };
}

/** HAProxy before these instances, set up as docs/scaling.md says. */
async function startHaproxy(port: number, instances: Instance[], directory: string) {
  const addresses = Object.fromEntries(
    ADDRESSES.map((written, n) => [written, (instances[n] ?? instances[0])?.address ?? '']),
  );
  const settings = withValues(await blockOf(PAGE, 'haproxy.cfg'), {
    'bind 10.0.0.10:8080': `bind 127.0.0.1:${port}`,
    ...addresses,
  });
  const file = join(directory, 'haproxy.cfg');
  await writeFile(file, settings);
  const isReady = async () => {
    if (!(await fetch(`http://127.0.0.1:${port}/ready`)).ok) throw new Error('not yet');
  };
  return startProgram(HAPROXY, ['-db', '-f', file], isReady);
}

/** So many instances of the service behind HAProxy, on one database behind PgBouncer where it can be, with one Redis. */
export async function startCluster(databaseUrl: string, count: number, settings: NodeJS.ProcessEnv = {}) {
  const stops: (() => Promise<unknown>)[] = [];
  const stop = async () => {
    for (const step of stops.splice(0).reverse()) await step();
  };
  try {
    const directory = await temporaryDirectory();
    stops.push(() => rm(directory, { recursive: true, force: true }));
    const redis = await createRedisServer();
    stops.push(redis.stop);
    let pooledUrl = databaseUrl;
    if (missingForPooling() === undefined) {
      const pgbouncer = await startPgBouncer(new URL(databaseUrl), directory);
      stops.push(pgbouncer.stop);
      pooledUrl = pgbouncer.url;
    }

    const port = await freePort();
    const baseUrl = `http://127.0.0.1:${port}`;
    const instances = await Promise.all(
      Array.from({ length: count }, async (_, n) => {
        const own = await freePort();
        return createInstance(own, join(directory, `instance-${n}`), {
          DATABASE_URL: pooledUrl,
          REDIS_URL: redis.url,
          AUTH_SECRET: 'one-secret-for-all-instances-of-a-test',
          PUBLIC_URL: baseUrl,
          TRUSTED_PROXIES: '127.0.0.1',
          ...ROOT,
          ...settings,
        });
      }),
    );
    stops.push(() => Promise.all(instances.map(({ kill }) => kill())));
    // All at once: they take turns with the migrations and with the first account.
    await Promise.all(instances.map(({ start }) => start()));
    stops.push(await startHaproxy(port, instances, directory));
    return { baseUrl, pooledUrl, instances, [Symbol.asyncDispose]: stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
export type Cluster = Awaited<ReturnType<typeof startCluster>>;

/** One instance, at the same port each time it is started. */
function createInstance(port: number, dataDir: string, environment: NodeJS.ProcessEnv) {
  let running: Service | undefined;
  return {
    address: `127.0.0.1:${port}`,
    baseUrl: `http://127.0.0.1:${port}`,
    async start() {
      running = await startService({ ...environment, DATA_DIR: dataDir, PORT: String(port) });
    },
    async kill() {
      await running?.end('SIGKILL');
      running = undefined;
    },
    /** To whom it has sent a mail, which goes into a file. */
    async mails(): Promise<string[]> {
      const directory = join(dataDir, 'mail');
      const names = await readdir(directory).catch(() => []);
      const files = names.filter((name) => name.endsWith('.eml'));
      const texts = await Promise.all(files.map((name) => readFile(join(directory, name), 'utf8')));
      return texts.map((text) => /^To: (.*)$/m.exec(text)?.[1]?.trim() ?? '');
    },
  };
}
export type Instance = ReturnType<typeof createInstance>;
