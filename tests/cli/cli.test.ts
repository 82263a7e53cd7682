import { readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { createDatabase } from '../support/database.ts';
import { httpCaller } from '../support/harness.ts';
import { startService, temporaryDirectory, tenantry } from '../support/service.ts';

let database: Awaited<ReturnType<typeof createDatabase>>;
let environment: NodeJS.ProcessEnv;
let directory: string;

beforeAll(async () => {
  directory = await temporaryDirectory();
  database = await createDatabase('empty');
  environment = {
    DATABASE_URL: database.url,
    AUTH_SECRET: 'a-secret-for-tests-that-is-long-enough',
    DATA_DIR: directory,
  };
});
afterAll(async () => {
  await database.drop();
  await rm(directory, { recursive: true, force: true });
});

describe('on a new database', () => {
  test('doctor finds the missing migrations and says what to do', async () => {
    const { code, stdout } = await tenantry(['doctor'], environment);
    expect(code).toBe(1);
    expect(stdout).toMatch(/FAIL {2}migrations: some are missing\n {6}→ Run `tenantry migrate`/);
  });

  test('migrate brings it up to date, also twice', async () => {
    for (const _ of [1, 2]) {
      expect(await tenantry(['migrate'], environment)).toMatchObject({
        code: 0,
        stdout: 'The database is up to date.\n',
      });
    }
  });

  test('user create reads the password from standard input; the first account is rootAdmin', async () => {
    const args = ['user', 'create', '--email', ' Ada@Example.org', '--name', 'Ada'];
    const weak = await tenantry(args, environment, 'short\n');
    expect(weak).toMatchObject({ code: 1, stdout: '' });
    expect(weak.stderr).toMatch(/^A password has 8 to 128 characters.\n$/);
    const { code, stdout } = await tenantry(args, environment, 'Correct-horse-1\n');
    expect(code).toBe(0);
    expect(stdout).toMatch(/^ada@example\.org has the account [0-9a-f-]{36} with the role rootAdmin\.\n$/);
  });

  test('user promote gives a role, and names an unknown account', async () => {
    const input = 'Correct-horse-1\n';
    const created = ['user', 'create', '--email', 'bob@example.org', '--name', 'Bob', '--role', 'staff'];
    expect(await tenantry(created, environment, input)).toMatchObject({ code: 0 });
    const args = (email: string) => ['user', 'promote', '--email', email, '--role', 'admin'];
    expect(await tenantry(args('bob@example.org'), environment)).toMatchObject({
      code: 0,
      stdout: 'bob@example.org has the role admin.\n',
    });
    expect(await tenantry(args('eve@example.org'), environment)).toMatchObject({
      code: 1,
      stderr: 'User not found.\n',
    });
  });

  test('user create makes accounts also while registration is off', async () => {
    const sql = postgres(environment.DATABASE_URL ?? '', { max: 1, onnotice: () => {} });
    await sql`insert into settings (value, updated_at) values ('{"registration": false}', now())`;
    const args = ['user', 'create', '--email', 'eva@example.org', '--name', 'Eva'];
    expect(await tenantry(args, environment, 'Correct-horse-1\n')).toMatchObject({ code: 0 });
    await sql`delete from settings`;
    await sql.end();
  });

  test('apikey create prints a key that works', async () => {
    const args = ['apikey', 'create', '--email', 'ada@example.org', '--name', 'deploy'];
    const { stdout } = await tenantry(args, environment);
    const service = await startService(environment);
    const key = httpCaller(service.baseUrl, { 'x-api-key': stdout.trim() });
    expect(await key.get('organization.active')).toMatchObject({
      status: 200,
      body: { name: "Ada's organization" },
    });
    expect(await service.end('SIGTERM')).toBe(0);
  });

  test('doctor is content afterwards', async () => {
    const { code, stdout } = await tenantry(['doctor'], environment);
    expect(stdout).not.toContain('FAIL');
    expect(code).toBe(0);
  });
});

describe('where there is no installation', () => {
  test.each([
    'backup backup.tar.gz',
    'audit verify',
    'jobs list',
    'user promote --email ada@example.org --role admin',
    'apikey create --email ada@example.org --name deploy',
    'doctor',
  ])('in DATA_DIR, %s says so and makes none', async (command) => {
    const place = await temporaryDirectory();
    onTestFinished(() => rm(place, { recursive: true }));
    const environment = { DATA_DIR: join(place, 'typo') };
    const { code, stdout, stderr } = await tenantry(command.split(' '), environment);
    expect(code).toBe(1);
    expect(stdout + stderr).toContain(`DATA_DIR, which is ${join(place, 'typo')}, holds no installation.`);
    expect(await readdir(place)).toEqual([]);
  });

  test.each(['backup backup.tar.gz', 'audit verify'])(
    'in the database, %s says so and makes none',
    async (command) => {
      const { url, drop } = await createDatabase('empty');
      const sql = postgres(url, { max: 1 });
      onTestFinished(async () => {
        await sql.end();
        await drop();
      });
      const finished = await tenantry(command.split(' '), { ...environment, DATABASE_URL: url });
      expect(finished).toMatchObject({ code: 1, stdout: '' });
      expect(finished.stderr).toMatch(/^The database holds no installation\. Set DATABASE_URL .*\n$/);
      expect(await sql`select 1 from pg_tables where schemaname in ('public', 'drizzle')`).toEqual([]);
    },
  );
});

test('a database newer than the code is refused', async () => {
  const sql = postgres(environment.DATABASE_URL ?? '', { max: 1 });
  await sql`insert into drizzle.__drizzle_migrations (hash, created_at) values ('later', 9999999999999)`;
  const { code, stderr } = await tenantry(['serve'], environment);
  const doctor = await tenantry(['doctor'], environment);
  await sql`delete from drizzle.__drizzle_migrations where hash = 'later'`;
  await sql.end();
  expect(code).toBe(1);
  expect(stderr).toMatch(/^This database was migrated by a newer version of Tenantry\./);
  expect(doctor.stdout).toMatch(/FAIL {2}migrations: newer than this version/);
});

test('every setting that is wrong is named at once, and no value is shown', async () => {
  const { code, stderr } = await tenantry(['serve'], {
    PORT: 'many',
    TRUSTED_PROXIES: '10.0.0.0/8, loopback',
    AUTH_SECRET: 'hush-hush',
    DATABASE_URL: 'mysql://root:hush@localhost/x',
  });
  expect(code).toBe(1);
  expect(stderr).toMatch(/PORT.*\n.*TRUSTED_PROXIES.*\n.*DATABASE_URL.*\n.*AUTH_SECRET.*at least 32/);
  expect(stderr).not.toContain('hush');
});

test('settings that contradict each other are named', async () => {
  const { stderr } = await tenantry(['serve'], {
    ROOT_EMAIL: 'root@example.org',
    SMTP_URL: 'smtp://127.0.0.1',
    RESEND_API_KEY: 're_1',
    DATABASE_URL: 'postgres://127.0.0.1/x',
  });
  expect(stderr).toMatch(/ROOT_EMAIL and ROOT_PASSWORD/);
  expect(stderr).toMatch(/SMTP_URL and RESEND_API_KEY/);
  expect(stderr).toMatch(/AUTH_SECRET is needed with DATABASE_URL/);
});

test('doctor reports a database that is away and a mail server that does not answer', async () => {
  const { code, stdout } = await tenantry(['doctor'], {
    DATABASE_URL: 'postgres://127.0.0.1:1/x',
    AUTH_SECRET: 'a-secret-for-tests-that-is-long-enough',
    SMTP_URL: 'smtp://127.0.0.1:1',
    DATA_DIR: directory,
  });
  expect(code).toBe(1);
  expect(stdout).toMatch(/FAIL {2}database: .*ECONNREFUSED/);
  expect(stdout).toMatch(/FAIL {2}mail: .*ECONNREFUSED/);
});

test.each([
  ['serve', { host: '127.0.0.1:1' }, 'connect ECONNREFUSED'],
  ['migrate', { username: 'nobody', password: 'canary' }, '"nobody"'],
  ['jobs list', { pathname: '/no_such_database' }, '"no_such_database"'],
])('%s on a PostgreSQL that is away or lets nobody in says in one line what to look at', async (...given) => {
  const [command, different, reason] = given;
  const DATABASE_URL = Object.assign(new URL(database.url), different).href;
  const { code, stderr } = await tenantry(command.split(' '), { ...environment, DATABASE_URL });
  expect(code).toBe(1);
  expect(stderr).toMatch(/^The database cannot be used: .*\. Check that PostgreSQL runs, .*\n$/);
  expect(stderr).toContain(reason);
  expect(stderr).not.toContain('canary');
});

test('doctor says how there comes to be a rootAdmin: where nobody is, and where accounts are', async () => {
  const { url, drop } = await createDatabase('migrated');
  const sql = postgres(url, { max: 1 });
  onTestFinished(async () => {
    await sql.end();
    await drop();
  });
  const own = { ...environment, DATABASE_URL: url };
  const advice = async () => /no rootAdmin\n {6}→ (.*)/.exec((await tenantry(['doctor'], own)).stdout)?.[1];
  expect(await advice()).toMatch(/`tenantry user create --email <address> --name <name>`, or sign up/);
  const create = ['user', 'create', '--email', 'ada@example.org', '--name', 'Ada'];
  expect(await tenantry(create, own, 'Correct-horse-1\n')).toMatchObject({ code: 0 });
  await sql`update users set role = 'user'`;
  expect(await advice()).toBe('Run `tenantry user promote --email <address> --role rootAdmin`.');
  const promote = ['user', 'promote', '--email', 'ada@example.org', '--role', 'rootAdmin'];
  expect(await tenantry(promote, own)).toMatchObject({ code: 0 });
  expect(await advice()).toBeUndefined();
});

test('doctor finds a data directory that is a file', async () => {
  const file = join(directory, 'a-file');
  await writeFile(file, '');
  const { code, stdout } = await tenantry(['doctor'], { ...environment, DATA_DIR: file });
  expect(code).toBe(1);
  expect(stdout).toMatch(/FAIL {2}data directory: \S+a-file is no directory\n {6}→ Make it a directory/);
});

test('commands share the embedded database with a running service', async () => {
  const own = {
    DATA_DIR: await temporaryDirectory(),
    ROOT_EMAIL: 'root@example.org',
    ROOT_PASSWORD: 'Correct-horse-1',
  };
  const service = await startService(own);
  expect(service.output.text).toContain(`mails are not delivered but kept in ${join(own.DATA_DIR, 'mail')}`);
  const { code, stdout } = await tenantry(
    ['apikey', 'create', '--email', own.ROOT_EMAIL, '--name', 'x'],
    own,
  );
  expect(code).toBe(0);
  const key = httpCaller(service.baseUrl, { 'x-api-key': stdout.trim() });
  expect((await key.get('user.one', { userId: 'me' })).body).toMatchObject({ email: own.ROOT_EMAIL });
  const second = await tenantry(['serve'], { ...own, PORT: '0', PUBLIC_URL: 'http://localhost' });
  expect(second).toMatchObject({ code: 1 });
  expect(second.stderr).toContain(`in use by process ${service.child.pid}`);
  expect(await service.end('SIGTERM')).toBe(0);
  await rm(own.DATA_DIR, { recursive: true, force: true });
});

test('where the service has its secret from AUTH_SECRET, a command without it is refused and makes up none', async () => {
  const own = { DATA_DIR: await temporaryDirectory() };
  const service = await startService({ ...own, AUTH_SECRET: 'a-secret-for-tests-that-is-long-enough' });
  for (const command of [
    ['backup', join(own.DATA_DIR, 'backup.tar.gz')],
    ['audit', 'verify'],
    ['user', 'create', '--email', 'ada@example.org', '--name', 'Ada'],
  ]) {
    const { code, stderr } = await tenantry(command, own, 'Correct-horse-1\n');
    expect({ command, code }).toEqual({ command, code: 1 });
    expect(stderr).toContain('has no secret. Set AUTH_SECRET');
  }
  const files = await readdir(own.DATA_DIR);
  expect(files.filter((name) => /secret|backup/.test(name))).toEqual([]);
  expect(await service.end('SIGTERM')).toBe(0);
  await rm(own.DATA_DIR, { recursive: true, force: true });
});

test('nothing goes on with another secret than the first, unless the operator says that this is lost', async () => {
  const empty = await createDatabase('empty');
  onTestFinished(empty.drop);
  const first = { ...environment, DATABASE_URL: empty.url };
  const other = { ...first, AUTH_SECRET: 'another-secret-that-is-long-enough-too' };
  const args = ['user', 'create', '--email', 'ada@example.org', '--name', 'Ada'];
  expect(await tenantry(args, first, 'Correct-horse-1\n')).toMatchObject({ code: 0 });
  for (const command of [['serve'], ['backup', join(directory, 'other.tar.gz')], ['audit', 'verify']]) {
    const { code, stderr } = await tenantry(command, other);
    expect({ command, code }).toEqual({ command, code: 1 });
    expect(stderr).toContain('is not the secret of this installation');
  }
  const { code, stdout } = await tenantry(['doctor'], other);
  expect(code).toBe(1);
  expect(stdout).toMatch(/FAIL {2}secret: not that of the installation\n {6}→ AUTH_SECRET/);
  expect(await tenantry(['secret', 'replace'], other)).toMatchObject({ code: 0 });
  const service = await startService(other);
  expect(await service.end('SIGTERM')).toBe(0);
  expect((await tenantry(['serve'], first)).stderr).toContain('is not the secret of this installation');
});
