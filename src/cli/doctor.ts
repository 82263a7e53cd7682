import { access, constants, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import postgres from 'postgres';
import { type Config, readConfig } from '../config.ts';
import { dataDirOf, existingServer } from '../database.ts';
import { createClient } from '../db/client.ts';
import { exists } from '../db/embedded/files.ts';
import { migrationState } from '../db/migrate.ts';
import { stateOfReplica } from '../db/replica.ts';
import { requirePublic, requireUtf8, UnsuitedDatabaseError } from '../db/suited.ts';
import { requireWall, WallError } from '../db/wall.ts';
import { mailDirOf } from '../deps.ts';
import { DomainError } from '../kernel/errors.ts';
import { reasonOf } from '../kernel/reason.ts';
import { createSmtpMailer } from '../platform/mail/smtp.ts';
import { existingSecret, requireSecret } from '../secret.ts';
import { interruptible, unless } from './interrupt.ts';
import { toStandardError } from './with-deps.ts';

const OLDEST_POSTGRES = 15;

/** One thing that was looked at. `advice` says what to do about it, and is there when something must be done. */
type Finding = { subject: string; fact: string; advice?: string };

/** One that is not there yet is made in what there is of its path. */
async function existingPartOf(path: string): Promise<string> {
  return (await exists(path)) ? path : existingPartOf(dirname(path));
}

async function checkDataDirectory(config: Config): Promise<Finding> {
  const directory = dataDirOf(config);
  try {
    const part = await existingPartOf(directory);
    if (!(await stat(part)).isDirectory()) throw new Error(`${part} is no directory`);
    await access(part, constants.R_OK | constants.W_OK);
    return { subject: 'data directory', fact: directory };
  } catch (error) {
    const advice =
      'Make it a directory that the user of the service can write to, or set DATA_DIR to another place.';
    return { subject: 'data directory', fact: reasonOf(error), advice };
  }
}

async function checkDatabase(config: Config, url: string): Promise<Finding[]> {
  const client = postgres(url, { max: 1, connect_timeout: 5, onnotice: () => {} });
  try {
    const [row] = await client<{ version: string }[]>`select current_setting('server_version') as version`;
    const version = row?.version ?? 'unknown';
    const findings: Finding[] = [
      Number.parseInt(version, 10) < OLDEST_POSTGRES
        ? {
            subject: 'database',
            fact: `PostgreSQL ${version}`,
            advice: `Use PostgreSQL ${OLDEST_POSTGRES} or newer.`,
          }
        : { subject: 'database', fact: `PostgreSQL ${version}` },
    ];
    findings.push(await checkSuited(client), await checkWall(client));
    const state = await migrationState(client);
    findings.push({
      subject: 'migrations',
      ...{
        current: { fact: 'up to date' },
        behind: { fact: 'some are missing', advice: 'Run `tenantry migrate`, or start the service.' },
        newer: {
          fact: 'newer than this version',
          advice: 'Start the version that made them, or restore a backup.',
        },
      }[state],
    });
    findings.push(await checkTimeLimits(url));
    if (state === 'current') {
      findings.push(
        await checkSecret(config, client),
        await checkJobs(client),
        await checkFirstAccount(client),
      );
    }
    return findings;
  } catch (error) {
    const advice = 'Check that PostgreSQL runs and that DATABASE_URL names it.';
    return [{ subject: 'database', fact: reasonOf(error), advice }];
  } finally {
    await client.end({ timeout: 5 });
  }
}

/** The service asks for them when it connects; a pooler in between may keep them to itself. */
async function checkTimeLimits(url: string): Promise<Finding> {
  const client = createClient(url, 1);
  try {
    const missing = await client<{ name: string }[]>`
      select name from pg_settings where setting = '0'
        and name in ('statement_timeout', 'lock_timeout', 'idle_in_transaction_session_timeout') order by name`;
    if (missing.length === 0) return { subject: 'time limits', fact: 'in force' };
    const advice = 'Set them for the role or in the pooler, as docs/scaling.md says.';
    return { subject: 'time limits', fact: `none by ${missing.map(({ name }) => name).join(', ')}`, advice };
  } finally {
    await client.end({ timeout: 5 });
  }
}

/** One that is behind is no fault: beside a primary without changes every replica is. */
async function checkReplica(url: string): Promise<Finding> {
  const subject = 'replica';
  const client = createClient(url, 1);
  try {
    const { isStandby, isUsable, reason } = await stateOfReplica(client);
    if (isStandby) return { subject, fact: isUsable ? reason : `not read now, as ${reason}` };
    const advice = 'Set DATABASE_REPLICA_URL to a standby of the database, or leave it out.';
    return { subject, fact: reason, advice };
  } catch (error) {
    const advice = 'Check that it runs and that DATABASE_REPLICA_URL names it.';
    return { subject, fact: reasonOf(error), advice };
  } finally {
    await client.end({ timeout: 5 });
  }
}

async function checkSuited(client: postgres.Sql): Promise<Finding> {
  const subject = 'encoding and search_path';
  try {
    await requireUtf8(client);
    await requirePublic(client);
    return { subject, fact: 'UTF8 and public' };
  } catch (error) {
    if (!(error instanceof UnsuitedDatabaseError)) throw error;
    return { subject, fact: 'not fit for the service', advice: error.message };
  }
}

async function checkWall(client: postgres.Sql): Promise<Finding> {
  const subject = 'wall between tenants';
  try {
    await requireWall(client);
    return { subject, fact: 'can be raised' };
  } catch (error) {
    if (!(error instanceof WallError)) throw error;
    return { subject, fact: 'cannot be raised', advice: error.message };
  }
}

async function checkSecret(config: Config, client: postgres.Sql): Promise<Finding> {
  const subject = 'secret';
  try {
    await requireSecret(client, await existingSecret(config));
    return { subject, fact: 'that of the installation' };
  } catch (error) {
    if (!(error instanceof DomainError)) throw error;
    return { subject, fact: 'not that of the installation', advice: error.message };
  }
}

/** Jobs by kind, each with its newest error: those given up, and those that failed and are tried again. */
async function checkJobs(client: postgres.Sql): Promise<Finding> {
  const kinds = await client<{ name: string; given_up: boolean; jobs: number; error: string | null }[]>`
    select name, failed_at is not null as given_up, count(*)::int as jobs,
      (array_agg(last_error order by coalesce(failed_at, run_at) desc))[1] as error
    from jobs where last_error is not null or failed_at is not null group by 1, 2 order by 1`;
  const describe = (givenUp: boolean): string =>
    kinds
      .filter((kind) => kind.given_up === givenUp)
      .map(({ name, jobs, error }) => `${jobs} ${name} (${error ?? 'no error was kept'})`)
      .join('; ');
  const [givenUp, triedAgain] = [describe(true), describe(false)];
  if (givenUp !== '') {
    const advice = 'Mend the cause, then run `tenantry jobs retry`. `tenantry jobs list` shows each.';
    return { subject: 'jobs', fact: `given up: ${givenUp}`, advice };
  }
  return {
    subject: 'jobs',
    fact: triedAgain === '' ? 'none was given up' : `none was given up; tried again: ${triedAgain}`,
  };
}

async function checkFirstAccount(client: postgres.Sql): Promise<Finding> {
  const [found] = await client<{ anybody: boolean; root: boolean }[]>`
    select exists (select from users) as anybody, exists (select from users where role = 'rootAdmin') as root`;
  if (found?.root) return { subject: 'accounts', fact: 'there is a rootAdmin' };
  const advice = found?.anybody
    ? 'Run `tenantry user promote --email <address> --role rootAdmin`.'
    : 'Run `tenantry user create --email <address> --name <name>`, or sign up: the first account becomes rootAdmin.';
  return { subject: 'accounts', fact: 'there is no rootAdmin', advice };
}

async function checkMail(config: Config): Promise<Finding> {
  const { mail } = config;
  if (mail.kind === 'resend')
    return { subject: 'mail', fact: 'Resend (the key is tried with the first mail)' };
  if (mail.kind === 'files')
    return { subject: 'mail', fact: `kept as files in ${mailDirOf(config)}, not delivered` };
  try {
    await createSmtpMailer(mail).check();
    return { subject: 'mail', fact: 'the SMTP server takes mail' };
  } catch (error) {
    return {
      subject: 'mail',
      fact: reasonOf(error),
      advice: 'Check SMTP_URL: host, port, user and password.',
    };
  }
}

/** Looks at everything the service needs, changes nothing, and says what to do. @returns whether all is well. */
export async function doctor(
  environment: NodeJS.ProcessEnv,
  print: (line: string) => void,
): Promise<boolean> {
  const findings: Finding[] = [];
  try {
    const config = readConfig(environment);
    findings.push({ subject: 'settings', fact: 'readable and without contradiction' });
    const directory = await checkDataDirectory(config);
    findings.push(directory);
    if (directory.advice === undefined) findings.push(...(await checkServer(config)));
    if (config.databaseReplicaUrl !== undefined) findings.push(await checkReplica(config.databaseReplicaUrl));
    findings.push(await checkMail(config));
  } catch (error) {
    findings.push({
      subject: 'settings',
      fact: reasonOf(error),
      advice: 'Change these variables; README.md lists all.',
    });
  }
  for (const { subject, fact, advice } of findings) {
    print(`${advice === undefined ? 'ok  ' : 'FAIL'}  ${subject}: ${fact}`);
    if (advice !== undefined) print(`      → ${advice}`);
  }
  return findings.every(({ advice }) => advice === undefined);
}

async function checkServer(config: Config): Promise<Finding[]> {
  try {
    return await interruptible(async (interrupted) => {
      const server = await existingServer(config, toStandardError);
      try {
        return await unless(interrupted, () => checkDatabase(config, server.url));
      } finally {
        await server.stop();
      }
    });
  } catch (error) {
    return [
      {
        subject: 'database',
        fact: reasonOf(error),
        advice: 'Do what the message says, then run this again.',
      },
    ];
  }
}
