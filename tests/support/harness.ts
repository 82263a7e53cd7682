import { createHmac, randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Logger, pino } from 'pino';
import postgres from 'postgres';
import { createApp, type Overrides } from '../../src/app.ts';
import { readConfig } from '../../src/config.ts';
import { registerAccount } from '../../src/domain/account/index.ts';
import type { RateLimiter } from '../../src/domain/deps.ts';
import type { Mail } from '../../src/domain/mail.ts';
import { newId } from '../../src/kernel/ids.ts';
import type { Role } from '../../src/kernel/permissions.ts';
import { createDatabase } from './database.ts';

export const PASSWORD = 'Correct-horse-1';
const SECRET = 'a-secret-for-tests-that-is-long-enough';
const NOBODY = { ipAddress: null, userAgent: null, requestId: null };

// biome-ignore lint/suspicious/noExplicitAny: a test reads whatever came over the wire.
export type Body = any;
export type Reply = { status: number; headers: Headers; text: string; body: Body };

const parse = (text: string): Body => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};

/** Sends real HTTP with the given headers: `get('organization.one', { organizationId })`. */
export function httpCaller(baseUrl: string, headers: Record<string, string>) {
  async function send(path: string, init: RequestInit): Promise<Reply> {
    const response = await fetch(`${baseUrl}${path}`, { ...init, headers: { ...headers, ...init.headers } });
    const text = await response.text();
    return { status: response.status, headers: response.headers, text, body: parse(text) };
  }
  return {
    headers,
    send,
    get(procedure: string, query: Record<string, string | number | boolean> = {}) {
      const search = new URLSearchParams();
      for (const [key, value] of Object.entries(query)) search.set(key, String(value));
      return send(`/api/${procedure}${search.size === 0 ? '' : `?${search}`}`, {});
    },
    post: (procedure: string, body: unknown = {}, extra: Record<string, string> = {}) =>
      send(`/api/${procedure}`, {
        method: 'POST',
        body: JSON.stringify(body),
        headers: { 'content-type': 'application/json', ...extra },
      }),
    /** Sends a form whose parts come in the order of `fields`; a Blob is a file. */
    form(procedure: string, fields: Record<string, unknown>) {
      const body = new FormData();
      for (const [name, value] of Object.entries(fields)) {
        if (value instanceof Blob) body.append(name, value, 'picture.png');
        else body.append(name, typeof value === 'string' ? value : JSON.stringify(value));
      }
      return send(`/api/${procedure}`, { method: 'POST', body });
    },
  };
}
export type Caller = ReturnType<typeof httpCaller>;
export type TestUser = Caller & { id: string; email: string; cookie: string };

/** For tests of other things that call more often than a person may. */
export const UNLIMITED: RateLimiter = {
  consume: async ({ points, seconds }) => ({
    allowed: true,
    limit: points,
    remaining: points,
    resetSeconds: seconds,
  }),
};

const isBusy = (reply: unknown): boolean =>
  typeof reply === 'object' && reply !== null && 'status' in reply && reply.status === 503;

/** As a client would: where a slow machine lets a lock take too long, which changes nothing, it is sent again. */
export async function untilServed<T>(send: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    const reply = await send();
    if (!isBusy(reply) || attempt === 5) return reply;
  }
}

/** The whole service on a database of its own, listening on a free port. */
export async function createHarness(
  environment: Record<string, string> = {},
  overrides: Pick<Overrides, 'rateLimiter' | 'mailer' | 'consoleDirectory'> = {},
) {
  const { name, url, drop } = await createDatabase('migrated');
  const dataDir = await mkdtemp(join(tmpdir(), 'tenantry-data-'));

  const logLines: string[] = [];
  const logger: Logger = pino({ level: 'info' }, { write: (line: string) => void logLines.push(line) });
  const clock = {
    offset: 0,
    advance(ms: number) {
      clock.offset += ms;
    },
  };
  const mails: Mail[] = [];
  const config = readConfig({
    DATABASE_URL: url,
    AUTH_SECRET: SECRET,
    PORT: '0',
    PUBLIC_URL: 'http://localhost:3000',
    DATA_DIR: dataDir,
    DATABASE_POOL_SIZE: '34',
    ...environment,
  });
  const app = await createApp(config, logger, {
    now: () => new Date(Date.now() + clock.offset),
    mailer: { send: async (mail) => void mails.push(mail) },
    ...overrides,
  });
  const baseUrl = await app.listen();
  const sql = postgres(url, {
    max: 4,
    onnotice: () => {},
    transform: { column: { from: postgres.toCamel } },
  });

  /** Signs a new session in as better-auth would, without the password. */
  async function signIn(userId: string): Promise<string> {
    const token = randomUUID().replaceAll('-', '');
    const now = Date.now() + clock.offset;
    await sql`insert into sessions (id, token, user_id, created_at, expires_at)
      values (${newId()}, ${token}, ${userId}, ${new Date(now)}, ${new Date(now + 7 * 86_400_000)})`;
    const signature = createHmac('sha256', SECRET).update(token).digest('base64');
    return `better-auth.session_token=${encodeURIComponent(`${token}.${signature}`)}`;
  }

  let passwordHash: Promise<string> | undefined;
  /** Everybody here has the same password: it is hashed once, since the service rests after each hash. */
  const hashOnce = () => {
    passwordHash ??= app.deps.passwords.hash(PASSWORD);
    return passwordHash;
  };

  let users = 0;
  /** A new account with its personal organization, signed in. The very first one made is rootAdmin. */
  async function user(
    options: { email?: string; verified?: boolean; name?: string } = {},
  ): Promise<TestUser> {
    users += 1;
    const email = options.email ?? `user${users}-${name.slice(-6)}@example.org`;
    const deps = { ...app.deps, passwords: { ...app.deps.passwords, hash: hashOnce } };
    const { userId } = await registerAccount(deps, NOBODY, {
      email,
      password: PASSWORD,
      name: options.name ?? `User ${users}`,
      emailVerified: options.verified ?? true,
    });
    const cookie = await signIn(userId);
    return { id: userId, email, cookie, ...httpCaller(baseUrl, { cookie }) };
  }

  /** A new organization with its owner, and a way to have people join it in a role. */
  async function organization(owner?: TestUser) {
    const founder = owner ?? (await user());
    const { body } = await founder.post('organization.create', { name: 'Acme' });
    const id: string = body.id;
    async function join(role: Exclude<Role, 'owner'>) {
      const member = await user();
      const memberId = newId();
      await sql`insert into memberships (id, organization_id, user_id, role) values (${memberId}, ${id}, ${member.id}, ${role})`;
      await sql`update sessions set active_organization_id = ${id} where user_id = ${member.id}`;
      return { ...member, memberId };
    }
    return { id, owner: founder, join };
  }

  /** A caller with a new API key; `input` goes to apiKey.create. */
  async function key(holder: TestUser, input: Record<string, unknown> = {}) {
    const { body } = await holder.post('apiKey.create', { name: 'test', ...input });
    return {
      id: body.id as string,
      key: body.key as string,
      ...httpCaller(baseUrl, { 'x-api-key': body.key }),
    };
  }

  /**
   * Starts `attempts` while an organization's or a user's row is held, and lets go once all of them wait, or have ended: a race
   * every time. `meanwhile` changes something while they wait, in the transaction that holds the row.
   */
  async function race<T>(
    id: string,
    attempts: (() => Promise<T>)[],
    meanwhile: (tx: postgres.TransactionSql) => Promise<unknown> = async () => {},
    table: 'organizations' | 'users' = 'organizations',
  ): Promise<T[]> {
    const gate = postgres(url, { max: 1 });
    let started: Promise<T[]> = Promise.resolve([]);
    let ended = 0;
    await gate.begin(async (tx) => {
      await tx`select 1 from ${tx(table)} where id = ${id} for update`;
      started = Promise.all(attempts.map((attempt) => untilServed(attempt).finally(() => (ended += 1))));
      for (let waiting = 0; waiting + ended < attempts.length; ) {
        const [row] = await sql<{ n: number }[]>`
          select count(*)::int as n from pg_stat_activity where datname = ${name} and wait_event_type = 'Lock'`;
        waiting = row?.n ?? 0;
      }
      await meanwhile(tx);
    });
    const results = await started;
    await gate.end();
    return results;
  }

  return {
    app,
    baseUrl,
    databaseUrl: url,
    dataDir,
    sql,
    clock,
    mails,
    logLines,
    anonymous: httpCaller(baseUrl, {}),
    user,
    signIn,
    organization,
    key,
    race,
    async [Symbol.asyncDispose]() {
      await app.close();
      await sql.end();
      await drop();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}
export type Harness = Awaited<ReturnType<typeof createHarness>>;

export const times = <T>(count: number, make: (index: number) => T): T[] =>
  Array.from({ length: count }, (_, i) => make(i));
export const statuses = (replies: Reply[]): number[] =>
  replies.map(({ status }) => status).sort((a, b) => a - b);
