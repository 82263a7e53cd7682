import type { FastifyBaseLogger } from 'fastify';
import { createIdentity } from './auth/better-auth.ts';
import { keyReader, sessionReader } from './auth/principal.ts';
import { authRoutes } from './auth/routes.ts';
import { createKeyUsage, createSessionUsage } from './auth/usage.ts';
import type { Config } from './config.ts';
import { openDatabase, ownServer } from './database.ts';
import { migrationState } from './db/migrate.ts';
import { createReplica, type Reader } from './db/replica.ts';
import { callLimitOf, createDeps, createMailer } from './deps.ts';
import { ensureRootAdmin } from './domain/account/index.ts';
import type { Deps, RateLimiter } from './domain/deps.ts';
import { countJobs } from './domain/job/index.ts';
import type { Mailer } from './domain/mail.ts';
import { createServer } from './http/server.ts';
import { createJobRunner, type JobRunner } from './jobs/runner.ts';
import { createSweeper } from './jobs/sweeper.ts';
import { createMemoryRateLimiter } from './platform/rate-limiter.ts';
import { openTracing, tracedDatabase, tracedDeps, tracedMailer, tracedReader } from './traced.ts';

const USAGE_FLUSH_MS = 5_000;

/** Parts that a test, or an embedder, brings itself. */
export type Overrides = {
  now?: () => Date;
  mailer?: Mailer;
  rateLimiter?: RateLimiter;
  logger?: FastifyBaseLogger;
  /** Where the built console lies; without it there is none. */
  consoleDirectory?: string | undefined;
  /** Called when the service cannot go on. */
  onFatal?: (reason: string) => void;
};

export type App = {
  deps: Deps;
  jobs: JobRunner;
  /** Begins to accept connections; resolves with the address, such as http://127.0.0.1:3000. */
  listen(): Promise<string>;
  /** Stops accepting, lets what was accepted finish, ten seconds at most, and closes everything. */
  close(): Promise<void>;
  /** Ends the embedded database, whatever is under way: for when closing does not come to its end. */
  abandon(): Promise<void>;
};

/** Puts the service together. What it has opened is closed again when a part fails. */
export async function createApp(
  config: Config,
  logger: FastifyBaseLogger,
  overrides: Overrides = {},
): Promise<App> {
  const opened: (() => Promise<unknown>)[] = [];
  const closeAll = async () => {
    for (const close of opened.reverse()) await close();
  };
  async function openRateLimiter(): Promise<RateLimiter> {
    if (config.redisUrl === undefined) return createMemoryRateLimiter();
    const { createRedisRateLimiter } = await import('./platform/redis-rate-limiter.ts');
    const limiter = createRedisRateLimiter(config.redisUrl, (isConnected, reason) => {
      if (isConnected) logger.info('limits are counted in Redis');
      else logger.warn({ reason }, 'Redis does not answer: limits are counted in this process alone');
    });
    opened.push(async () => limiter.close());
    return limiter;
  }
  function openReplica(url: string, primary: Reader): Reader {
    const onChange = (isUsed: boolean, reason: string) => {
      if (isUsed) logger.info('the replica is read');
      else logger.warn({ reason }, 'the replica is not read');
    };
    const { reader, close } = createReplica({ url, poolSize: config.databasePoolSize, primary, onChange });
    opened.push(close);
    return reader;
  }
  const onLost = (reason: string) => overrides.onFatal?.(`The embedded database ended: ${reason}`);
  try {
    const tracing = await openTracing(config, (reason) =>
      logger.warn({ reason }, 'traces could not be delivered'),
    );
    if (tracing !== undefined) opened.push(() => tracing.close());
    const server = await ownServer(config, logger, onLost);
    const { database: plain, client, close } = await openDatabase(server, config.databasePoolSize);
    opened.push(close);
    const database = tracing === undefined ? plain : tracedDatabase(plain, tracing);

    const replica =
      config.databaseReplicaUrl === undefined ? plain : openReplica(config.databaseReplicaUrl, plain);
    const reader = tracing === undefined ? replica : tracedReader(replica, tracing);

    const untraced = await createDeps(config, database, { now: overrides.now, reader });
    const deps = tracing === undefined ? untraced : tracedDeps(untraced, tracing);
    if (config.root !== undefined && (await ensureRootAdmin(deps, config.root))) {
      logger.info({ email: config.root.email }, 'first account made');
    }

    const rateLimiter = overrides.rateLimiter ?? (await openRateLimiter());
    const identity = await createIdentity({
      database,
      publicUrl: config.publicUrl,
      secret: deps.rules.secret,
      trustedOrigins: config.trustedOrigins,
      log: (level, message) => logger[level]({ from: 'better-auth' }, message),
    });

    const [keyUsage, sessionUsage] = [createKeyUsage(database), createSessionUsage(database)];
    const flush = () =>
      Promise.all([keyUsage.flush(), sessionUsage.flush()]).catch((error: unknown) =>
        logger.warn({ err: error }, 'the use of credentials could not be written'),
      );
    const flushing = setInterval(flush, USAGE_FLUSH_MS);
    opened.push(async () => {
      clearInterval(flushing);
      await flush();
    });

    const given =
      overrides.mailer ?? (await createMailer(config, (details, message) => logger.info(details, message)));
    const mailer = tracing === undefined ? given : tracedMailer(given, tracing);
    const jobs = createJobRunner({ deps, mailer, tracing }, logger);
    const sweeper = createSweeper(deps, logger);

    const { app, startDraining } = await createServer({
      deps,
      rateLimiter,
      callLimit: callLimitOf(config),
      principalOfKey: keyReader(database, keyUsage),
      principalOfSession: sessionReader(database, sessionUsage),
      identity,
      trustedOrigins: new Set(config.trustedOrigins),
      isHttps: config.publicUrl.startsWith('https://'),
      corsOrigins: config.corsOrigins,
      trustedProxies: config.trustedProxies,
      metricsToken: config.metricsToken,
      authRoutes: authRoutes({ identity, deps, rateLimiter }),
      checkReady: async () => {
        const state = await migrationState(client);
        if (state !== 'current') throw new Error(`The migrations of the database are ${state}.`);
      },
      countJobs: () => countJobs(database, deps.now()),
      consoleDirectory: overrides.consoleDirectory,
      tracing,
      logger,
    });
    opened.push(() => Promise.all([app.close(), jobs.stop(), sweeper.stop()]));

    let isClosing = false;
    return {
      deps,
      jobs,
      listen: async () => {
        const address = await app.listen({ host: config.host, port: config.port });
        if (isClosing) return address;
        jobs.start();
        sweeper.start();
        return address;
      },
      async close() {
        isClosing = true;
        startDraining();
        await closeAll();
      },
      abandon: () => server.stop(),
    };
  } catch (error) {
    await closeAll();
    throw error;
  }
}
