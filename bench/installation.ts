import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hash } from '@node-rs/argon2';
import postgres from 'postgres';
import { startEmbedded } from '../src/db/embedded/index.ts';
import { migrateDatabase } from '../src/db/migrate.ts';
import { build, startServer } from './processes.ts';
import { PASSWORD, SECRET, seed } from './seed.ts';

type Installation = { url: string; sql: postgres.Sql; seeded: Awaited<ReturnType<typeof seed>> };

/** Builds the service and runs it, pinned to no processor, on a seeded database of its own for as long as `measure` takes. */
export async function withInstallation(
  environment: Record<string, string>,
  measure: (installation: Installation) => Promise<void>,
): Promise<void> {
  const closers: (() => Promise<unknown>)[] = [];
  try {
    build();
    const directory = await mkdtemp(join(tmpdir(), 'tenantry-bench-'));
    closers.push(() => rm(directory, { recursive: true, force: true }));
    await chmod(directory, 0o755); // as root, PostgreSQL runs as another user
    const database = await startEmbedded({ directory: join(directory, 'data'), log: () => {} });
    closers.push(() => database.stop());
    await migrateDatabase(database.url);
    const sql = postgres(database.url, { max: 1, onnotice: () => {} });
    closers.push(() => sql.end());
    const seeded = await seed(sql, 10_000, await hash(PASSWORD, { memoryCost: 19_456, timeCost: 2 }));
    const service = await startServer(
      ['dist/main.js'],
      {
        DATABASE_URL: database.url,
        AUTH_SECRET: SECRET,
        DATA_DIR: join(directory, 'service'),
        LOG_LEVEL: 'warn',
        RATE_LIMIT_PER_MINUTE: '0',
        ...environment,
      },
      { pinned: false },
    );
    closers.push(() => service.stop());
    await measure({ url: service.url, sql, seeded });
  } finally {
    for (const close of closers.reverse()) await close();
  }
}
