import { expect } from 'vitest';
import { newId } from '../../src/kernel/ids.ts';
import { hashSecret } from '../../src/kernel/secrets.ts';
import { SESSION_COOKIE, TWO_FACTOR_COOKIE } from './browser.ts';
import type { Body, Harness, Reply } from './harness.ts';

/* Secrets that can be told from everything else, and a look at every place where they must not be. */

/** Part of every value that a trigger puts into the columns of credentials. */
export const STORED = 'Canary-stored-1';
/** Sent by requests; good enough to be a password. */
export const SENT = 'Canary-sent-by-a-request-1';

/** The columns that hold a credential or what one is checked by. */
export const CREDENTIALS: Record<string, string[]> = {
  accounts: ['access_token', 'id_token', 'password', 'refresh_token'],
  api_keys: ['key_hash', 'previous_key_hash'],
  email_tokens: ['token_hash'],
  invitations: ['token_hash'],
  licenses: ['key_hash'],
  nodes: ['token_hash'],
  recovery_codes: ['code_hash'],
  sessions: ['token'],
  ssh_keys: ['private_key'],
  tunnel_devices: ['token_hash'],
  tunnel_enrolments: ['device_code_hash', 'user_code_hash'],
  two_factors: ['secret'],
  verifications: ['identifier', 'value'],
  webhooks: ['previous_secret', 'secret'],
};

/** Columns that can hold text, by table. Numbers, moments, ids and switches are left out. */
export async function textColumns(h: Harness): Promise<Record<string, string[]>> {
  const rows = await h.sql<{ table: string; columns: string[] }[]>`
    select table_name as table, array_agg(column_name::text order by column_name) as columns
    from information_schema.columns
    where table_schema = 'public' and table_name not like 'kept\\_%' and data_type not in
      ('uuid', 'boolean', 'smallint', 'integer', 'bigint', 'date', 'timestamp with time zone')
    group by table_name order by table_name`;
  return Object.fromEntries(rows.map(({ table, columns }) => [table, columns]));
}

/**
 * From now on a credential that a row comes without is filled with a canary, and every row that was ever written is
 * kept in `kept_rows`.
 */
export async function plantFromNowOn(h: Harness): Promise<void> {
  await h.sql.unsafe(`
    create table kept_rows (tab text, row jsonb);
    create function keep_row() returns trigger language plpgsql security definer as $$ begin
      insert into kept_rows values (tg_table_name, to_jsonb(new)); return null;
    end $$;
    create function plant() returns trigger language plpgsql as $$ begin
      if tg_table_name = 'api_keys' and to_jsonb(new) ->> 'previous_key_hash' is null then
        new := jsonb_populate_record(new, jsonb_build_object('previous_key_expires_at', now() + interval '1 day'));
      end if;
      new := jsonb_populate_record(new, coalesce((
        select jsonb_object_agg(name, '${STORED}.' || gen_random_uuid()) from unnest(tg_argv) name
        where to_jsonb(new) ->> name is null), '{}'));
      return new;
    end $$;`);
  for (const table of Object.keys(await textColumns(h))) {
    await h.sql.unsafe(
      `create trigger zz_keep after insert or update on ${table} for each row execute function keep_row()`,
    );
    const columns = CREDENTIALS[table];
    if (columns === undefined) continue;
    await h.sql.unsafe(
      `create trigger aa_plant before insert on ${table} for each row execute function plant(${columns})`,
    );
  }
}

/** Gives somebody one of everything, with a canary for a credential. */
export async function plantFor(h: Harness, userId: string, organizationId: string): Promise<void> {
  const [later, email] = [new Date(Date.now() + 86_400_000), `${newId()}@example.org`];
  const key = { name: 'planted', public_key: 'ssh-ed25519 AAAA', type: 'ssh-ed25519', bits: 256 };
  const rows: [string, Record<string, unknown>][] = [
    ['accounts', { user_id: userId, account_id: userId, provider_id: 'other' }],
    ['sessions', { user_id: userId, expires_at: later }],
    ['api_keys', { user_id: userId, name: 'planted', start: 'planted_', scope: 'user' }],
    ['email_tokens', { user_id: userId, purpose: 'change', email, expires_at: later }],
    ['recovery_codes', { user_id: userId }],
    ['ssh_keys', { ...key, user_id: userId, fingerprint: newId() }],
    ['ssh_keys', { ...key, organization_id: organizationId, fingerprint: newId() }],
    ['tunnel_devices', { user_id: userId, name: 'planted' }],
    ['tunnel_devices', { organization_id: organizationId, name: 'planted' }],
    ['tunnel_enrolments', { name: 'planted', poll_interval: 5, expires_at: later }],
    ['verifications', { expires_at: later }],
    ['licenses', { plan: 'paid' }],
    ['nodes', { name: newId(), pool: 'paid', memory_mb: 1, disk_mb: 1, cpu_percent: 1 }],
    [
      'webhooks',
      {
        organization_id: organizationId,
        url: 'https://192.0.2.1/',
        events: h.sql.json(['*']),
        active: false,
      },
    ],
    [
      'invitations',
      { organization_id: organizationId, email, role: 'member', inviter_id: userId, expires_at: later },
    ],
  ];
  for (const [table, row] of rows) await h.sql`insert into ${h.sql(table)} ${h.sql({ id: newId(), ...row })}`;
  await h.sql`insert into two_factors (user_id) values (${userId})`;
}

/** Of an API key only its first characters are shown again later. */
const keyIn = ({ key, start }: Body): string[] => (key === undefined ? [] : [key.slice(start.length)]);
/** Of a webhook the part that is not the same in all. */
const signingSecretIn = ({ secret }: Body): string[] =>
  secret === undefined ? [] : [secret.slice('whsec_'.length)];
/** Behind the prefix that all tokens of devices have. */
const deviceTokenIn = ({ token }: Body): string[] =>
  token === undefined ? [] : [token.slice('tunnel_'.length)];
const deviceCodesIn = ({ deviceCode, userCode }: Body): string[] =>
  deviceCode === undefined ? [] : [deviceCode, userCode, userCode.replace('-', '')];
/** What is the same in all of its kind comes before the first underscore. */
const afterUnderscore = (text: string): string => text.slice(text.indexOf('_') + 1);
const licenseKeyIn = ({ key }: Body): string[] => (key == null ? [] : [afterUnderscore(key)]);
const nodeTokenIn = ({ token }: Body): string[] => (token === undefined ? [] : [afterUnderscore(token)]);
const codesIn = ({ backupCodes = [] }: Body): string[] => backupCodes;

/** What an answer is there to show, by the path that gives it. */
const SHOWN: Record<string, (body: Body) => string[]> = {
  'apiKey.create': keyIn,
  'apiKey.rotate': keyIn,
  'user.createApiKey': keyIn,
  'tunnelDevice.poll': deviceTokenIn,
  'tunnelDevice.start': deviceCodesIn,
  'license.create': licenseKeyIn,
  'license.one': licenseKeyIn,
  'node.create': nodeTokenIn,
  'node.rotateToken': nodeTokenIn,
  'webhook.create': signingSecretIn,
  'webhook.update': signingSecretIn,
  // Its first line is the same in every key, and the last one says that it ends.
  'sshKey.generate': ({ privateKey = '' }) => privateKey.trim().split('\n').slice(2, -1),
  'auth/two-factor/enable': (body) => {
    const uri = body.totpURI ?? '';
    return uri === '' ? [] : [new URL(uri).searchParams.get('secret') ?? '', ...codesIn(body)];
  },
  'auth/two-factor/generate-backup-codes': codesIn,
};
/** What the procedures returned, plainly or by tRPC, alone or in a batch. */
const resultsIn = (body: Body): Body[] => [body].flat().map((each) => each?.result?.data?.json ?? each ?? {});

/** Where a session or the challenge of a second factor begins. */
const SIGN_INS = /^auth\/(?:sign-up\/email|sign-in\/email|two-factor\/verify-(?:totp|backup-code))$/;

/** Remembers every answer and every secret, and finds the ones that are out of their place. */
export function createWatch(h: Harness) {
  const places: { name: string; text: string }[] = [];
  /** By secret, the place that is meant to show it. */
  const secrets = new Map<string, string | undefined>();
  const keep = (name: string, text: string) => void places.push({ name, text });
  const secret = (text: string, place?: string) => {
    expect(text.length).toBeGreaterThan(7);
    for (const form of [text, encodeURIComponent(text), Buffer.from(text).toString('base64')]) {
      if (place !== undefined || !secrets.has(form)) secrets.set(form, place);
    }
  };
  /** A cookie's value and what signs it. */
  const cookie = (pair: string, place?: string) => {
    const value = decodeURIComponent(pair.slice(pair.indexOf('=') + 1));
    const dot = value.lastIndexOf('.');
    for (const part of [value.slice(0, dot), value.slice(dot + 1)]) secret(part, place);
  };

  /** Takes an answer to the books. `path` is the procedure's, or the route below /api. */
  function note(path: string, reply: Reply): Reply {
    const name = `answer ${places.length} of ${path}, ${reply.status}`;
    const cookies = reply.headers.getSetCookie();
    const others = [...reply.headers].filter(([header]) => header !== 'set-cookie');
    keep(name, reply.text);
    keep(`${name}, headers`, JSON.stringify(others));
    keep(`${name}, cookies`, cookies.join('\n'));
    for (const result of resultsIn(reply.body)) {
      for (const text of SHOWN[path]?.(result) ?? []) secret(text, name);
    }
    for (const line of SIGN_INS.test(path) ? cookies : []) {
      const [pair = ''] = line.split(';');
      const isKept = pair.startsWith(SESSION_COOKIE) || pair.startsWith(TWO_FACTOR_COOKIE);
      if (isKept && !pair.endsWith('=')) cookie(pair, `${name}, cookies`);
    }
    return reply;
  }

  /** Every text of a credential that the database ever held. */
  async function stored(table: string, column: string): Promise<string[]> {
    const rows = await h.sql<{ text: string | null }[]>`
      select distinct row ->> ${column} as text from kept_rows where tab = ${table}`;
    return rows.flatMap(({ text }) => (text === null ? [] : [text]));
  }

  /** To whom the tokens of all links were meant, by their hash. */
  async function addressees(): Promise<Map<string, string>> {
    const rows = await h.sql<{ hash: string; email: string }[]>`
      select row ->> 'token_hash' as hash, row ->> 'email' as email from kept_rows
      where tab in ('invitations', 'email_tokens')`;
    return new Map(rows.map(({ hash, email }) => [hash, email]));
  }

  return { places, secrets, keep, secret, cookie, note, stored, addressees };
}
export type Watch = ReturnType<typeof createWatch>;

const WINDOW = 8;
/** 31 to the power of WINDOW, as 32 bits. */
const LEAVING = Array.from({ length: WINDOW }).reduce<number>((power) => Math.imul(power, 31), 1);

/**
 * Finds which secrets stand in a text, in one pass over it: the hash of the last eight characters is moved along
 * (Rabin-Karp), so that the time does not grow with the number of secrets, and the service beside the test is not held up.
 */
function finderOf(secrets: Iterable<string>): (text: string) => Set<string> {
  const hashOf = (secret: string) =>
    Array.from({ length: WINDOW }, (_, at) => secret.charCodeAt(at)).reduce(
      (hash, code) => (Math.imul(hash, 31) + code) | 0,
      0,
    );
  const candidates = new Map<number, string[]>();
  for (const secret of secrets) {
    expect(secret.length).toBeGreaterThanOrEqual(WINDOW);
    candidates.set(hashOf(secret), [...(candidates.get(hashOf(secret)) ?? []), secret]);
  }
  const isCandidate = new Uint8Array(1 << 20);
  for (const hash of candidates.keys()) isCandidate[hash & 0xfffff] = 1;
  return (text) => {
    const found = new Set<string>();
    let hash = 0;
    for (let end = 0; end < text.length; end++) {
      const leaving = end < WINDOW ? 0 : text.charCodeAt(end - WINDOW);
      hash = (Math.imul(hash, 31) + text.charCodeAt(end) - Math.imul(LEAVING, leaving)) | 0;
      if (isCandidate[hash & 0xfffff] === 0) continue;
      for (const secret of candidates.get(hash) ?? []) {
        if (text.startsWith(secret, end - WINDOW + 1)) found.add(secret);
      }
    }
    return found;
  };
}

/** @returns each secret that is where it is not meant to be, and the name of the place */
export async function leaks(h: Harness, watch: Watch): Promise<string[]> {
  await h.app.jobs.runDue();
  const rows = await h.sql<{ name: string; text: string }[]>`
    select 'row of ' || tab as name, row::text as text from kept_rows 
    where tab in ('audit_log', 'jobs', 'settings', 'webhook_deliveries')`;
  const addressees = await watch.addressees();
  const mails = h.mails.map((mail, index) => ({
    name: `mail ${index} to ${mail.to}`,
    text: JSON.stringify(mail),
    mail,
  }));
  for (const { name, mail } of mails) {
    for (const [, token = ''] of `${mail.text} ${mail.html}`.matchAll(/token=([\w-]+)/g)) {
      expect(addressees.get(hashSecret(token)), 'the address that a link is for').toBe(mail.to);
      watch.secret(token, name);
    }
  }
  for (const [table, columns] of Object.entries(CREDENTIALS)) {
    for (const column of columns) {
      for (const text of await watch.stored(table, column)) {
        if (!text.startsWith(STORED)) watch.secrets.set(text, watch.secrets.get(text));
      }
    }
  }
  const lines = h.logLines.map((text) => ({ name: 'line of the log', text }));
  const all = [...watch.places, ...rows, ...mails, ...lines];
  const find = finderOf([...watch.secrets.keys(), STORED, SENT]);
  const secretsOf = new Map<string, Set<string>>();
  const found: string[] = [];
  for (const { name, text } of all) {
    const secrets = secretsOf.get(text) ?? find(text);
    secretsOf.set(text, secrets);
    for (const secret of secrets) {
      if (watch.secrets.get(secret) !== name) found.push(`${secret} in ${name}: ${text.slice(0, 600)}`);
    }
  }
  return [...new Set(found)];
}
