import { link, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type postgres from 'postgres';
import type { Config } from './config.ts';
import { dataDirOf } from './database.ts';
import type { Database } from './db/client.ts';
import { preconditionFailed } from './kernel/errors.ts';
import { keyedHash, newSecret, randomSuffix } from './kernel/secrets.ts';

/** Tells a secret from another one, and not what it is. */
export const secretHashOf = (secret: string): string => keyedHash(secret, 'backup', 'secret');

/**
 * An installation keeps the secret with which it was begun: under another one nothing that is sealed or encrypted can be
 * read, and what is written from then on could not be read under the first. @throws PRECONDITION_FAILED
 */
export async function requireSecret(sql: postgres.ISql, secret: string): Promise<void> {
  const [row] = await sql<{ hash: string }[]>`select secret_hash as hash from installation`;
  if (row === undefined || row.hash === secretHashOf(secret)) return;
  throw preconditionFailed(
    'other_secret',
    'AUTH_SECRET, or the file secret in DATA_DIR where that is not set, is not the secret of this installation. Set the one from before. Where it is lost: `tenantry secret replace`.',
  );
}

/** The secret that is set; a new installation generates one where none is. @throws PRECONDITION_FAILED as `requireSecret` */
export async function openSecret(config: Config, database: Database): Promise<string> {
  return database.query(async (sql) => {
    const [begun] = await sql`(select from installation) union all (select from users limit 1)`;
    const secret = begun === undefined ? await loadSecret(config) : await existingSecret(config);
    await sql`insert into installation (secret_hash) values (${secretHashOf(secret)}) on conflict do nothing`;
    await requireSecret(sql, secret);
    return secret;
  });
}

/**
 * Goes on with another secret. Lost are sessions, links in mails and what is encrypted: second factors, private SSH
 * keys and secrets of webhooks. Keys of licenses are not shown any more, and rows of the trail read as changed.
 */
export async function replaceSecret(sql: postgres.ISql, secret: string): Promise<void> {
  await sql`
    insert into installation (secret_hash) values (${secretHashOf(secret)})
    on conflict (id) do update set secret_hash = excluded.secret_hash`;
}

const fileIn = (dataDir: string): string => join(dataDir, 'secret');
const readSecret = async (file: string): Promise<string> => (await readFile(file, 'utf8')).trim();

/** The secret of an installation that is there: another one would fit nothing in it. @throws PRECONDITION_FAILED */
export async function existingSecret(config: Config): Promise<string> {
  if (config.secret !== undefined) return config.secret;
  return readSecret(fileIn(dataDirOf(config))).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
    throw preconditionFailed(
      'no_secret',
      `DATA_DIR, which is ${dataDirOf(config)}, has no secret. Set AUTH_SECRET, as the service has it.`,
    );
  });
}

/** The secret that is set, or that of the data directory, where it is generated if there is none. */
export async function loadSecret(config: Config): Promise<string> {
  if (config.secret !== undefined) return config.secret;
  const dataDir = dataDirOf(config);
  await mkdir(dataDir, { recursive: true });
  const file = fileIn(dataDir);
  // Written whole beside its place and linked into it: a second process, or a crash, finds all of it or nothing.
  const draft = `${file}.${randomSuffix(8)}`;
  await writeFile(draft, `${newSecret()}\n`, { mode: 0o600, flush: true });
  await link(draft, file).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error;
  });
  await rm(draft);
  return readSecret(file);
}
