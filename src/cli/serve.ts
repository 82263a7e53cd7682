import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { setFlagsFromString } from 'node:v8';
import { type Logger, pino } from 'pino';
import { createApp } from '../app.ts';
import { type Config, readConfig } from '../config.ts';
import { mailDirOf } from '../deps.ts';
import { explainAndExit } from './explain.ts';

/** Requests and jobs have ten seconds each, at the same time, and the database has fifteen. */
const STOP_MS = 25_000;
/** npm passes a Ctrl-C on to us that the terminal has sent us already; that is not a second request to stop. */
const SAME_SIGNAL_MS = 1_000;

/** In a checkout as in the package, where `npm run build:console` puts it. */
const CONSOLE_DIRECTORY = fileURLToPath(new URL('../../dist/console', import.meta.url));

/** By how much the heap may grow before it is cleared up, in percent; left to itself, V8 lets it grow fourfold. */
const HEAP_GROWTH = 50;

/** Lines that wait for room on a full disk, in bytes; what is more is dropped. */
const LOG_BACKLOG = 1 << 20;

/** A log that cannot be written does not hold up the service, and nobody could be told: it is written once it can be. */
function openLog({ logLevel }: Config): Logger {
  const output = pino.destination({ fd: 1, maxLength: LOG_BACKLOG, sync: true });
  output.on('error', () => {});
  output.flushSync = () => {}; // each line was tried when it came; this would try for ever, and nothing else
  return pino({ level: logLevel }, output);
}

/** Runs the service until it is told to stop. */
export async function serve(environment: NodeJS.ProcessEnv): Promise<void> {
  setFlagsFromString(`--heap-growing-percent=${HEAP_GROWTH}`);
  try {
    const config = readConfig(environment);
    const logger = openLog(config);
    const hasConsole = existsSync(`${CONSOLE_DIRECTORY}/index.html`);
    if (!hasConsole) logger.warn('the console is not built: npm run build:console');
    if (config.mail.kind === 'files')
      logger.warn(`mails are not delivered but kept in ${mailDirOf(config)}: set SMTP_URL or RESEND_API_KEY`);
    const starting = createApp(config, logger, {
      consoleDirectory: hasConsole ? CONSOLE_DIRECTORY : undefined,
      onFatal: (reason) => {
        logger.fatal(reason);
        process.exit(1);
      },
    });

    let stoppingSince: number | undefined;
    const abandon = () =>
      starting
        .then((app) => app.abandon())
        .catch((error: unknown) => logger.error({ err: error }, 'the database could not be stopped'))
        .finally(() => process.exit(1));
    const stop = (signal: string) => {
      if (stoppingSince !== undefined) {
        if (Date.now() - stoppingSince > SAME_SIGNAL_MS) abandon();
        return;
      }
      stoppingSince = Date.now();
      logger.info({ signal }, 'stopping: finishing what was accepted');
      setTimeout(() => {
        logger.error('not everything ended in time');
        abandon();
      }, STOP_MS).unref();
      starting
        .then((app) => app.close())
        .then(
          () => process.exit(0),
          (error: unknown) => {
            logger.error({ err: error }, 'could not stop cleanly');
            return abandon();
          },
        );
    };
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => stop(signal));

    const app = await starting;
    if (stoppingSince !== undefined) return;
    try {
      await app.listen();
    } catch (error) {
      if (stoppingSince !== undefined) return;
      await app.close();
      throw error;
    }
    logger.info(`Tenantry answers at ${config.publicUrl} (reference: ${config.publicUrl}/docs)`);
  } catch (error) {
    explainAndExit(error);
  }
}
