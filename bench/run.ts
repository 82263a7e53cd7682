import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import postgres from 'postgres';
import { startEmbedded } from '../src/db/embedded/index.ts';
import { migrateDatabase } from '../src/db/migrate.ts';
import { CASES } from './cases.ts';
import { measure, type Plan, type Result } from './measure.ts';
import { build, isPinned, leaveServerCpu, startServer } from './processes.ts';
import { report } from './report.ts';
import { SECRET, seed } from './seed.ts';

/*
 * npm run bench [-- --only trpc --rounds 5 --seconds 4 --connections 32]
 *
 * Measures the built service against the bare server on the bundled PostgreSQL as an operator gets it, and writes the
 * table to bench/RESULTS.md when every case was measured.
 */

const { values: options } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '4' },
    connections: { type: 'string', default: '32' },
  },
});
const plan: Plan = {
  rounds: Number(options.rounds),
  seconds: Number(options.seconds),
  connections: Number(options.connections),
};
const cases = CASES.filter(({ name }) => name.includes(options.only));
if (cases.length === 0) throw new Error(`No case has ${options.only} in its name.`);

const say = (text: string): void => void process.stderr.write(`${text}\n`);
const closers: (() => Promise<unknown>)[] = [];

try {
  const cores = availableParallelism();
  say('building');
  build();
  leaveServerCpu();
  const directory = await mkdtemp(join(tmpdir(), 'tenantry-bench-'));
  closers.push(() => rm(directory, { recursive: true, force: true }));
  await chmod(directory, 0o755); // as root, PostgreSQL runs as another user
  const database = await startEmbedded({ directory: join(directory, 'data'), log: say });
  closers.push(() => database.stop());
  await migrateDatabase(database.url);

  const sql = postgres(database.url, { max: 1, onnotice: () => {} });
  closers.push(() => sql.end());
  say('seeding');
  const seeded = await seed(sql);
  const [server] = await sql<
    { serverVersion: string }[]
  >`select current_setting('server_version') as "serverVersion"`;
  const machine =
    `${cores} cores, Node ${process.versions.node}, PostgreSQL ${server?.serverVersion} (bundled, fsync on)` +
    (isPinned ? ', server on one core, PostgreSQL and the load generator on another' : '');

  const env = {
    DATABASE_URL: database.url,
    AUTH_SECRET: SECRET,
    DATA_DIR: join(directory, 'service'),
    LOG_LEVEL: 'warn',
    RATE_LIMIT_PER_MINUTE: '0',
  };
  const service = await startServer(['dist/main.js'], env);
  closers.push(() => service.stop());
  const bare = await startServer(['--import', 'tsx', 'bench/baseline.ts'], env);
  closers.push(() => bare.stop());

  const results: Result[] = [];
  for (const one of cases) {
    say(`measuring ${one.name}`);
    results.push(await measure(one, seeded, service, bare, plan));
  }
  const text = report(results, machine, plan);
  process.stdout.write(text);
  if (cases.length === CASES.length) await writeFile(new URL('RESULTS.md', import.meta.url), text);
} finally {
  for (const close of closers.reverse()) await close();
}
