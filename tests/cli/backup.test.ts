import { appendFile, mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import postgres from 'postgres';
import * as tar from 'tar';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import journal from '../../drizzle/meta/_journal.json' with { type: 'json' };
import { unpack } from '../../src/cli/archive.ts';
import { backup } from '../../src/cli/backup.ts';
import { restore } from '../../src/cli/restore.ts';
import { readConfig } from '../../src/config.ts';
import { findRunning, startEmbedded } from '../../src/db/embedded/index.ts';
import { copyMigrations, migrateDatabase, newestApplied } from '../../src/db/migrate.ts';
import { newId } from '../../src/kernel/ids.ts';
import { PICTURE } from '../api/stage.ts';
import { createDatabase } from '../support/database.ts';
import { httpCaller } from '../support/harness.ts';
import { auditOf, startLoad } from '../support/load.ts';
import { ROOT, signInRoot, startService, temporaryDirectory, tenantry } from '../support/service.ts';

let directory: string;
let file: string;
/** Acknowledged before the backup began. */
let acknowledged: string[];
let cookie: Record<string, string>;
let avatar: string;
beforeAll(async () => {
  directory = await temporaryDirectory();
  file = join(directory, 'backup.tar.gz');
  const environment = { DATA_DIR: join(directory, 'first'), RATE_LIMIT_PER_MINUTE: '0' };
  const service = await startService({ ...environment, ...ROOT });
  cookie = await signInRoot(service.baseUrl);
  const root = httpCaller(service.baseUrl, cookie);
  const { body } = await root.form('user.uploadAvatar', { file: PICTURE });
  avatar = new URL(body.avatarUrl).pathname;
  const load = startLoad(root);
  await load.more(20);
  acknowledged = [...load.acknowledged];
  const { code, stderr } = await tenantry(['backup', file], environment);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  await load.more(20);
  await load.stop();
  expect(await service.end('SIGTERM')).toBe(0);
}, 120_000);
afterAll(() => rm(directory, { recursive: true, force: true }));

const place = (name: string) => join(directory, name);
const restoreTo = (name: string, from = file, settings: NodeJS.ProcessEnv = {}) =>
  restore(readConfig({ DATA_DIR: place(name), ...settings }), from);

/** Nothing is left of a restore that was refused. */
const isUntouched = async (name: string) => expect(await readdir(place(name)).catch(() => [])).toEqual([]);

test('a backup that was made under load becomes the same installation elsewhere', async () => {
  await restoreTo('second');
  for (const name of ['secret', 'postgres.password']) {
    expect((await stat(join(place('second'), name))).mode & 0o777).toBe(0o600);
  }
  const environment = { DATA_DIR: place('second') };
  const service = await startService(environment);
  try {
    const sql = postgres((await findRunning(place('second'))) ?? '', { max: 1 });
    const { lost, violated } = await auditOf(sql, { acknowledged });
    await sql.end();
    expect({ lost, violated }).toEqual({ lost: [], violated: [] });
    const { stdout } = await tenantry(['audit', 'verify'], environment);
    expect(stdout).toContain(' 0 chains broken');
    // The session of before, a new one, and the picture.
    expect((await httpCaller(service.baseUrl, cookie).get('user.me')).status).toBe(200);
    const root = httpCaller(service.baseUrl, await signInRoot(service.baseUrl));
    expect((await root.post('organization.create', { name: 'Afterwards' })).status).toBe(200);
    expect((await root.send(avatar, {})).headers.get('content-type')).toBe('image/webp');
  } finally {
    await service.end('SIGTERM');
  }
  await expect(restoreTo('second')).rejects.toThrow(
    /postgres is there already|secret is there already|avatars is there already/,
  );
}, 120_000);

test('a backup of the embedded database goes into a PostgreSQL of one’s own, with the same secret', async () => {
  const { url, drop } = await createDatabase('empty');
  const secret = (await readFile(join(place('first'), 'secret'), 'utf8')).trim();
  try {
    const settings = { DATABASE_URL: url, AUTH_SECRET: secret };
    const other = { ...settings, AUTH_SECRET: `${secret}?` };
    await expect(restoreTo('third', file, other)).rejects.toThrow('needs the AUTH_SECRET');
    await restoreTo('third', file, settings);
    const sql = postgres(url, { max: 1 });
    expect((await auditOf(sql, { acknowledged })).lost).toEqual([]);
    await sql.end();
    await rm(place('third'), { recursive: true });
    await expect(restoreTo('third', file, settings)).rejects.toThrow('has rows in');
  } finally {
    await drop();
  }
  await isUntouched('third');
}, 60_000);

test('a backup into a directory that is not there is refused in one sentence, before anything is read', async () => {
  for (const target of [join(place('nowhere'), 'backup.tar.gz'), join(file, 'backup.tar.gz')]) {
    const { code, stdout, stderr } = await tenantry(['backup', target], { DATA_DIR: place('first') });
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toBe(`${dirname(target)} is no directory that can be written to.\n`);
  }
});

describe('into a database', () => {
  let database: Awaited<ReturnType<typeof createDatabase>>;
  let sql: postgres.Sql;
  const restoreInto = async (name: string) => {
    const AUTH_SECRET = (await readFile(join(place('first'), 'secret'), 'utf8')).trim();
    return restoreTo(name, file, { DATABASE_URL: database.url, AUTH_SECRET });
  };
  beforeEach(async () => {
    database = await createDatabase('empty');
    sql = postgres(database.url, { max: 1 });
  });
  afterEach(async () => {
    await sql.end();
    await database.drop();
  });

  test('of somebody else, nothing is restored, and it stays as it is', async () => {
    await sql`create table shops (id int)`;
    await expect(restoreInto('fourth')).rejects.toThrow('a table shops that is not of Tenantry');
    const tables = sql`select tablename from pg_tables where schemaname in ('public', 'drizzle')`;
    expect([...(await tables)]).toEqual([{ tablename: 'shops' }]);
    await isUntouched('fourth');
  });

  test('of an older version that has rows, nothing is restored, and it keeps its version', async () => {
    const older = journal.entries.at(-3)?.when ?? 0;
    await copyMigrations(older, place('migrations'));
    await migrateDatabase(database.url, place('migrations'));
    await sql`insert into users (id, email, name) values (${newId()}, 'ada@example.org', 'Ada')`;
    await expect(restoreInto('fourth')).rejects.toThrow('has rows in users');
    expect(await newestApplied(sql)).toBe(older);
    await isUntouched('fourth');
  });

  test('that has had nothing but migrations, it is restored', async () => {
    await migrateDatabase(database.url);
    await restoreInto('migrated');
    expect((await auditOf(sql, { acknowledged })).lost).toEqual([]);
  });
});

const middleOf = (bytes: Buffer) => Math.floor(bytes.length / 2);

describe('a backup that is not whole is refused, and nothing is touched:', () => {
  test.each<[string, (bytes: Buffer) => Uint8Array]>([
    ['cut off', (bytes) => bytes.subarray(0, bytes.length - 500)],
    ['cut in half', (bytes) => bytes.subarray(0, middleOf(bytes))],
    ['with another byte', (bytes) => bytes.with(middleOf(bytes), bytes.readUInt8(middleOf(bytes)) ^ 1)],
    ['empty', () => Buffer.of()],
    ['something else', () => Buffer.from('not a backup')],
  ])('%s', async (what, spoil) => {
    const spoilt = place(`${what.replaceAll(' ', '-')}.tar.gz`);
    await writeFile(spoilt, spoil(await readFile(file)));
    await expect(restoreTo('fourth', spoilt)).rejects.toThrow('The backup cannot be used');
    await isUntouched('fourth');
  });

  test('with a row that was put in', async () => {
    const [inside, spoilt] = [place('inside'), place('put-in.tar.gz')];
    await mkdir(inside);
    await tar.extract({ file, cwd: inside });
    await appendFile(join(inside, 'tables/settings.copy'), 'another\trow\n');
    await tar.create({ file: spoilt, cwd: inside, gzip: true }, await readdir(inside));
    await expect(restoreTo('fourth', spoilt)).rejects.toThrow(
      'tables/settings.copy is missing or not as it was',
    );
    await isUntouched('fourth');
  });

  test('not there', async () => {
    await expect(restoreTo('fourth', place('nowhere.tar.gz'))).rejects.toThrow('ENOENT');
    await isUntouched('fourth');
  });
});

test('a backup replaces no file, and only its owner can read it', async () => {
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  const before = await readFile(file);
  const { code, stderr } = await tenantry(['backup', file], { DATA_DIR: place('first') });
  expect({ code, stderr }).toEqual({ code: 1, stderr: `${file} is there already. Name another file.\n` });
  expect(await readFile(file)).toEqual(before);
});

test('two backups into one file at once: one of them writes it, and what another left is in no way', async () => {
  const [target, left] = [place('shared.tar.gz'), place('shared.tar.gz.part')];
  await writeFile(left, 'half of a backup');
  const config = readConfig({ DATA_DIR: place('first') });
  const server = await startEmbedded({ directory: place('first'), log: () => {} });
  onTestFinished(() => server.stop());
  const results = await Promise.allSettled([backup(config, target), backup(config, target)]);
  const refusals = results.filter((result) => result.status === 'rejected').map(({ reason }) => reason);
  expect(refusals.map(({ message }) => message)).toEqual([`${target} is there already. Name another file.`]);
  await mkdir(place('shared'));
  await unpack(target, place('shared'));
  expect(await readFile(left, 'utf8')).toBe('half of a backup');
  expect((await readdir(directory)).filter((name) => name.startsWith('shared.tar.gz'))).toHaveLength(2);
});
