import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { hash } from '@node-rs/argon2';
import postgres from 'postgres';
import { startEmbedded } from '../src/db/embedded/index.ts';
import { migrateDatabase } from '../src/db/migrate.ts';
import { CASES, ofUsers } from './cases.ts';
import { type Contestants, measure, type Plan, type Result } from './measure.ts';
import {
  build,
  generateLoad,
  installBetterAuth,
  isPinned,
  leaveServerCpu,
  type Server,
  startServer,
} from './processes.ts';
import { HEADINGS, table } from './report.ts';
import { PASSWORD, SECRET, type Seeded, seed } from './seed.ts';

/*
 * npm run bench [-- --only trpc --rounds 5 --seconds 4 --connections 32 --users 10000]
 *
 * Measures the built service against its baselines on the bundled PostgreSQL as an operator gets it, and writes the
 * tables to bench/RESULTS.md when every case was measured. With another number of users than 10,000 it measures the
 * service with so many against itself with 10,000, and writes bench/RESULTS-users.md.
 */

const USUAL = 10_000;
const MINUTE = 60;

const { values: options } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '4' },
    connections: { type: 'string', default: '32' },
    users: { type: 'string', default: String(USUAL) },
  },
});
const plan: Plan = {
  rounds: Number(options.rounds),
  seconds: Number(options.seconds),
  connections: Number(options.connections),
};
const users = Number(options.users);
const cases = (users === USUAL ? CASES : ofUsers(CASES)).filter(({ name }) => name.includes(options.only));
if (cases.length === 0) throw new Error(`No case has ${options.only} in its name.`);

const say = (text: string): void => void process.stderr.write(`${text}\n`);
const inMegabytes = (memory: number | undefined): string =>
  memory === undefined ? 'unknown' : `${Math.round(memory)} MB`;
const closers: (() => Promise<unknown>)[] = [];

/** A database of the server, migrated and filled. */
async function fill(sql: postgres.Sql, url: string, name: string, size: number): Promise<[string, Seeded]> {
  say(`seeding ${size.toLocaleString('en-US')} users`);
  await sql.unsafe(`create database ${name}`);
  const own = new URL(url);
  own.pathname = name;
  await migrateDatabase(own.href);
  const filling = postgres(own.href, { max: 1, onnotice: () => {} });
  const seeded = await seed(filling, size, await hash(PASSWORD, { memoryCost: 19_456, timeCost: 2 }));
  await filling.end();
  return [own.href, seeded];
}

async function start(args: string[], env: Record<string, string>): Promise<Server> {
  const server = await startServer(args, { ...env, AUTH_SECRET: SECRET });
  closers.push(() => server.stop());
  return server;
}

/** What is measured is a service where people have signed in, as they have where it is used. */
async function signInOnce({ url }: Server, { owners: [owner] }: Seeded): Promise<void> {
  const { status } = await fetch(`${url}/api/auth/sign-in/email`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ email: owner?.email, password: PASSWORD }),
  });
  if (status !== 200) throw new Error(`The sign-in was answered with ${status}.`);
}

/** From the start of a process to the first answer of `GET /ready`, on data that is there, as `npm start` begins it. */
async function startUpMs(env: Record<string, string>): Promise<number> {
  const began = performance.now();
  const server = await startServer(['dist/service/main.js'], { ...env, AUTH_SECRET: SECRET });
  const ms = performance.now() - began;
  await server.stop();
  return ms;
}

try {
  const cores = availableParallelism();
  say('building');
  build();
  if (users === USUAL) installBetterAuth();
  leaveServerCpu();
  const directory = await mkdtemp(join(tmpdir(), 'tenantry-bench-'));
  closers.push(() => rm(directory, { recursive: true, force: true }));
  await chmod(directory, 0o755); // as root, PostgreSQL runs as another user
  const database = await startEmbedded({
    directory: join(directory, 'data'),
    settings: { shared_preload_libraries: 'pg_stat_statements' },
    log: say,
  });
  closers.push(() => database.stop());
  const sql = postgres(database.url, { max: 1, onnotice: () => {} });
  closers.push(() => sql.end());
  await sql`create extension pg_stat_statements`;
  const [{ version } = { version: '' }] = await sql<{ version: string }[]>`
    select current_setting('server_version') as version`;
  const machine =
    `${cores} cores, Node ${process.versions.node}, PostgreSQL ${version} (bundled, fsync on)` +
    (isPinned ? ', server on one core, PostgreSQL and the load generator on another' : '');

  const serviceEnv = (url: string, name: string): Record<string, string> => ({
    DATABASE_URL: url,
    DATA_DIR: join(directory, name),
    LOG_LEVEL: 'error',
    RATE_LIMIT_PER_MINUTE: '0',
    MAX_ORGANIZATIONS_PER_USER: '1000000',
    TRUSTED_PROXIES: '127.0.0.1',
  });
  const [url, seeded] = await fill(sql, database.url, 'measured', users);
  const service = { server: await start(['dist/main.js'], serviceEnv(url, 'service')), seeded };
  await signInOnce(service.server, seeded);
  const contestants: Contestants = { service };
  if (users === USUAL) {
    contestants.bare = {
      server: await start(['--import', 'tsx', 'bench/baseline.ts'], { DATABASE_URL: url }),
      seeded,
    };
    contestants.adapters = {
      server: await start(['--import', 'tsx', 'bench/adapters.ts'], {
        ...serviceEnv(url, 'adapters'),
        NODE_ENV: 'production',
      }),
      seeded,
    };
    await sql`create database better_auth`;
    const theirs = new URL(database.url);
    theirs.pathname = 'better_auth';
    const server = await start(['bench/better-auth/server.mjs'], {
      ...{ DATABASE_URL: theirs.href, USERS: String(USUAL), NODE_ENV: 'production' },
    });
    const answer = await fetch(`${server.url}/seeded`);
    contestants['better-auth'] = { server, seeded: (await answer.json()) as Seeded };
  } else {
    const [few, seededFew] = await fill(sql, database.url, 'few', USUAL);
    contestants['10,000 users'] = {
      server: await start(['dist/main.js'], serviceEnv(few, 'few')),
      seeded: seededFew,
    };
    await signInOnce(contestants['10,000 users'].server, seededFew);
    contestants['page 1'] = service;
  }

  const mixed = cases.flatMap(({ calls }) => calls(seeded));
  const minute = options.only === '' ? MINUTE : 1;
  await generateLoad({
    url: service.server.url,
    calls: mixed,
    connections: plan.connections,
    seconds: minute,
  });
  const afterMinute = service.server.memory();

  const countStatements = async (): Promise<number> => {
    const [row] = await sql<{ n: number }[]>`
      select sum(calls)::int as n from pg_stat_statements s join pg_database d on d.oid = s.dbid
      where d.datname = 'measured'`;
    return row?.n ?? 0;
  };

  const results: Result[] = [];
  for (const one of cases) {
    say(`measuring ${one.name}`);
    results.push(await measure(one, contestants, plan, countStatements));
  }
  const memory = service.server.memory();
  const text = [
    table(results, machine, plan),
    `Memory of the service after ${minute} s of all of them at once: ${inMegabytes(afterMinute)}.`,
    `Memory of the service after all of this: ${inMegabytes(memory)}.`,
    `From its start to its first answer on data that is there: ${Math.round(await startUpMs(serviceEnv(url, 'service')))} ms.`,
    '',
  ].join('\n');
  process.stdout.write(text);
  const file = users === USUAL ? 'RESULTS.md' : 'RESULTS-users.md';
  if (options.only === '') await writeFile(new URL(file, import.meta.url), `${HEADINGS[file]}\n${text}`);
} finally {
  for (const close of closers.reverse()) await close();
}
