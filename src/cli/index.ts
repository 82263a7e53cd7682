#!/usr/bin/env node
import { Command, Option } from 'commander';
import { readConfig } from '../config.ts';
import { PLATFORM_ROLES } from '../kernel/permissions.ts';
import { explainAndExit } from './explain.ts';
import { VERSION } from './version.ts';

// Commands load what they need when they run: `tenantry --help` should not wait for the whole service.
const program = new Command('tenantry')
  .description('The tenancy backend of a hosting panel.')
  .version(VERSION)
  .addHelpText(
    'after',
    '\nSettings are environment variables: README.md lists them, `tenantry doctor` checks them.',
  );
const role = new Option('--role <role>', 'platform role').choices(PLATFORM_ROLES);
const print = (line: string): void => void process.stdout.write(`${line}\n`);

program
  .command('serve')
  .description('run the service')
  .action(async () => (await import('./serve.ts')).serve(process.env));

program
  .command('migrate')
  .description('bring the database up to date')
  .action(async () => {
    const { withDatabase } = await import('./with-deps.ts');
    const { sharedServer } = await import('../database.ts');
    const task = async () => print('The database is up to date.');
    await withDatabase(readConfig(process.env), task, sharedServer);
  });

const user = program.command('user').description('accounts');
user
  .command('create')
  .description('make an account with a verified address; the password is read from standard input')
  .requiredOption('--email <address>')
  .requiredOption('--name <name>')
  .addOption(role)
  .action(async (options) => {
    const { createUser } = await import('./accounts.ts');
    print(await createUser(readConfig(process.env), options));
  });
user
  .command('promote')
  .description('give an account a platform role')
  .requiredOption('--email <address>')
  .addOption(new Option('--role <role>', 'platform role').choices(PLATFORM_ROLES).makeOptionMandatory())
  .action(async (options) => {
    const { promote } = await import('./accounts.ts');
    print(await promote(readConfig(process.env), options));
  });

program
  .command('apikey')
  .description('API keys')
  .command('create')
  .description('make an API key for all organizations of an account, and print it')
  .requiredOption('--email <address>')
  .requiredOption('--name <name>')
  .action(async (options) => {
    const { createKey } = await import('./accounts.ts');
    print(await createKey(readConfig(process.env), options));
  });

const jobs = program
  .command('jobs')
  .description('work that was given up after its last attempt, such as mails');
jobs
  .command('list')
  .description('list it with its errors, newest first')
  .action(async () => {
    const { listJobs } = await import('./jobs.ts');
    print(await listJobs(readConfig(process.env)));
  });
jobs
  .command('retry')
  .description('have the running service try it again')
  .argument('[id]', 'of one job; without it, all')
  .action(async (id?: string) => {
    const { retryJobs } = await import('./jobs.ts');
    print(await retryJobs(readConfig(process.env), id));
  });

program
  .command('audit')
  .description('the audit trail')
  .command('verify')
  .description('check that no row was changed, removed or inserted in the database')
  .option('--organization <id>', 'only of this organization, which may be deleted')
  .option(
    '--unsealed-before <date>',
    'accept rows without a seal that say they are older: those of a version without chains, for which nothing vouches but you',
  )
  .action(async (options) => {
    const { verifyAudit } = await import('./audit.ts');
    if (!(await verifyAudit(readConfig(process.env), print, options))) process.exitCode = 1;
  });

program
  .command('backup')
  .description('write everything as it is now into one file, also while the service runs')
  .argument('<file>', 'such as tenantry.tar.gz')
  .action(async (file: string) => {
    const { backup } = await import('./backup.ts');
    print(await backup(readConfig(process.env), file));
  });
program
  .command('restore')
  .description('make an installation out of a backup, where there is none')
  .argument('<file>', 'that `tenantry backup` has written')
  .action(async (file: string) => {
    const { restore } = await import('./restore.ts');
    print(await restore(readConfig(process.env), file));
  });

program
  .command('secret')
  .description('the secret that signs and encrypts')
  .command('replace')
  .description('go on with another AUTH_SECRET, where the one before is lost or known to others')
  .action(async () => {
    const { replaceWithSet } = await import('./secret.ts');
    print(await replaceWithSet(readConfig(process.env)));
  });

program
  .command('openapi')
  .description('print the OpenAPI document')
  .action(async () => {
    const { appRouter } = await import('../api/root.ts');
    const { createDocument } = await import('../http/openapi.ts');
    print(JSON.stringify(createDocument(appRouter, VERSION), null, 2));
  });

program
  .command('permissions')
  .description('print who may do what, as docs/permissions.md has it')
  .action(async () => {
    const { appRouter } = await import('../api/root.ts');
    const { permissionsDocument } = await import('./permissions.ts');
    process.stdout.write(permissionsDocument(appRouter));
  });

program
  .command('doctor')
  .description('check settings, database, migrations, data directory and mail, and say what to do')
  .action(async () => {
    const { doctor } = await import('./doctor.ts');
    if (!(await doctor(process.env, print))) process.exitCode = 1;
  });

// `tenantry openapi | head` closes the pipe early, which is no fault.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
});

try {
  await program.parseAsync();
} catch (error) {
  explainAndExit(error);
}
