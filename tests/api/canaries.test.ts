import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { Identity } from '../../src/auth/better-auth.ts';
import { authRoutes } from '../../src/auth/routes.ts';
import { createMemoryRateLimiter } from '../../src/platform/rate-limiter.ts';
import { sendRaw } from '../http/raw-socket.ts';
import { browser } from '../support/browser.ts';
import {
  CREDENTIALS,
  createWatch,
  leaks,
  plantFor,
  plantFromNowOn,
  SENT,
  STORED,
  textColumns,
  type Watch,
} from '../support/canaries.ts';
import {
  type Caller,
  createHarness,
  type Harness,
  httpCaller,
  PASSWORD,
  type Reply,
  type TestUser,
  UNLIMITED,
} from '../support/harness.ts';
import { anotherClient } from '../support/links.ts';
import { codeOf } from '../support/otp.ts';
import { inTurns, roundsOf } from '../support/rounds.ts';
import { nextCode } from '../support/two-factor.ts';
import { call, type Procedure, procedureOf, procedures } from './procedures.ts';
import { type Cast, createCast, createStage, INPUTS, keepSessions, mailTo, type Stage } from './stage.ts';

/* No secret, stored or sent, is ever in an answer, the log, the audit trail, a job or a mail other than its own. */

const METRICS_TOKEN = 'a-token-for-metrics-of-the-tests';

let h: Harness;
let cast: Cast;
let watch: Watch;
let columns: Record<string, string[]>;
let restoreSessions: () => Promise<void>;
let keys: Record<'root' | 'owner' | 'member', string>;
beforeAll(async () => {
  h = await createHarness(
    { MAX_ORGANIZATIONS_PER_USER: '100000', TRUSTED_PROXIES: '127.0.0.1', METRICS_TOKEN },
    { rateLimiter: UNLIMITED },
  );
  columns = await textColumns(h);
  await plantFromNowOn(h);
  watch = createWatch(h);
  cast = await createCast(h);
  const { organizationId } = await createStage(h, cast);
  for (const person of Object.values(cast)) {
    await plantFor(h, person.id, organizationId);
    watch.cookie(person.cookie);
  }
  const keyOf = async (person: keyof Cast) => {
    const reply = await cast[person].post('apiKey.create', { name: 'test', scope: 'user' });
    watch.note('apiKey.create', reply);
    return reply.body.key as string;
  };
  keys = { root: await keyOf('root'), owner: await keyOf('owner'), member: await keyOf('member') };
  restoreSessions = await keepSessions(h);
  watch.secret(PASSWORD);
  watch.secret(METRICS_TOKEN);
});
afterAll(() => h[Symbol.asyncDispose]());

/** An account has at most 100 keys, and webhooks would be tried again and again. */
async function forget(): Promise<void> {
  await h.sql`delete from api_keys where name <> 'test'`;
  await h.sql`delete from webhooks where active`;
}

const expectNoLeaks = async () => expect(await leaks(h, watch)).toEqual([]);

/** The token of the newest link to a page, once all links that were asked for have left. */
async function tokenTo(email: string, page: string): Promise<string> {
  await vi.waitFor(
    async () => {
      await h.app.jobs.runDue();
      expect(await h.sql`select name from jobs where name in ('account.sendLink', 'mail.link')`).toEqual([]);
    },
    { timeout: 10_000, interval: 10 },
  );
  const link = new RegExp(`/${page}\\?token=([\\w-]+)`);
  return link.exec((await mailTo(h, email, link)).text)?.[1] ?? '';
}

/** What nobody reads, in every request. */
const headers = (cookie?: string) => ({
  authorization: `Bearer ${SENT}`,
  'x-auth-token': SENT,
  'proxy-authorization': SENT,
  referer: `http://localhost:3000/invitation?token=${SENT}`,
  cookie: [cookie, `other=${SENT}`].filter(Boolean).join('; '),
  ...anotherClient(),
});
const SECRET_FIELDS = [
  ...['password', 'currentPassword', 'newPassword', 'token', 'code', 'secret', 'key', 'privateKey'],
  ...['passwordHash', 'keyHash', 'tokenHash', 'accessToken', 'refreshToken', 'totpSecret'],
  ...['deviceCode', 'userCode'],
];
const JUNK = Object.fromEntries(SECRET_FIELDS.map((name) => [name, SENT]));
/** In the place of one field: what is of no type that a field has. */
const OBJECT = { ...JUNK, [SENT.toLowerCase()]: null, nested: [JUNK, SENT] };

describe('a column that can hold text', () => {
  const PLAIN: Record<string, string[]> = {
    accounts: ['account_id', 'provider_id', 'scope'],
    api_keys: ['allowed_ips', 'name', 'permissions', 'prefix', 'scope', 'start'],
    audit_chains: ['seal'],
    audit_log: [
      ...['action', 'after', 'before', 'ip_address', 'request_id', 'resource_id', 'resource_name'],
      ...['resource_type', 'seal', 'user_email', 'user_role'],
    ],
    custom_roles: ['name', 'permissions'],
    deployments: [
      ...[
        'base_domain',
        'component_type',
        'health',
        'hosting_type',
        'name',
        'status',
        'subdomain',
        'version',
      ],
    ],
    dns_provider_zones: ['ds', 'last_error', 'name', 'nameservers', 'provider', 'provider_zone_id'],
    dns_records: ['content', 'name', 'type'],
    dns_zones: ['challenge', 'name', 'provider'], // the challenge is there to be published
    email_tokens: ['email', 'purpose'],
    idempotency_answers: ['body', 'key_hash', 'request_hash'], // encrypted, and hashed under the server's secret
    installation: ['secret_hash'],
    invitations: ['custom_role', 'email', 'role', 'status'],
    jobs: ['last_error', 'name', 'payload'],
    known_clients: ['client'],
    licenses: ['plan'],
    memberships: ['custom_role', 'role'],
    nodes: ['address', 'agent_version', 'name', 'pool'],
    organizations: [
      ...[
        'avatar_hash',
        'custom_default_role',
        'default_role',
        'description',
        'handle',
        'logo',
        'metadata',
        'name',
      ],
      ...['owner_role', 'slug'],
    ],
    servers: ['desired_state', 'name', 'state'],
    sessions: ['ip_address', 'user_agent'],
    settings: ['value'],
    ssh_keys: ['description', 'fingerprint', 'name', 'public_key', 'type'],
    tunnel_allocations: ['host', 'protocol'],
    tunnel_devices: ['ip_address', 'name'],
    tunnel_enrolments: ['ip_address', 'name', 'status'],
    users: [
      ...['avatar_hash', 'billing_city', 'billing_country', 'billing_line1', 'billing_state', 'billing_zip'],
      ...['display_name', 'email', 'first_name', 'image', 'last_name', 'name', 'role', 'settings'],
      'suspension_reason',
    ],
    webhook_deliveries: ['body', 'error', 'event', 'response_body', 'status'],
    webhooks: ['description', 'disabled_reason', 'events', 'url'],
  };

  test('is known for a credential or for none', () => {
    const known = Object.fromEntries(
      [...new Set([...Object.keys(CREDENTIALS), ...Object.keys(PLAIN)])]
        .sort()
        .map((table) => [table, [...(CREDENTIALS[table] ?? []), ...(PLAIN[table] ?? [])].sort()]),
    );
    expect(columns).toEqual(known);
  });

  test.each(Object.entries(CREDENTIALS).flatMap(([table, names]) => names.map((name) => [table, name])))(
    '%s.%s has a canary for a credential',
    async (table = '', column = '') => {
      const planted = (await watch.stored(table, column)).filter((text) => text.startsWith(STORED));
      expect(planted.length).toBeGreaterThan(0);
    },
  );
});

describe('the name of a field in an answer', () => {
  const SECRETIVE =
    /pass(?!ed)|hash|token|secret|totp|otp|cipher|credential|recovery|backup|private|^key$|^code$/i;
  /** By path; `*` is every answer. `code` is that of a refusal, the hash of a picture is its address. */
  const ALLOWED: Record<string, string[]> = {
    '*': ['code'],
    '/apiKey.create': ['key'],
    '/apiKey.rotate': ['key'],
    '/user.createApiKey': ['key'],
    '/license.create': ['key'],
    '/license.one': ['key'],
    '/node.create': ['token'],
    '/node.rotateToken': ['token'],
    '/sshKey.generate': ['privateKey'],
    '/tunnelDevice.poll': ['token'],
    '/user.export': ['avatarHash'],
    '/webhook.all': ['previousSecretExpiresAt'],
    '/webhook.create': ['previousSecretExpiresAt', 'secret'],
    '/webhook.delete': ['previousSecretExpiresAt'],
    '/webhook.update': ['previousSecretExpiresAt', 'secret'],
  };
  const document = JSON.parse(readFileSync(new URL('../../openapi.json', import.meta.url), 'utf8'));

  function namesIn(schema: unknown, seen: string[] = []): string[] {
    if (typeof schema !== 'object' || schema === null) return [];
    if ('$ref' in schema && typeof schema.$ref === 'string') {
      const { $ref } = schema;
      if (seen.includes($ref)) return [];
      const target = $ref
        .split('/')
        .slice(1)
        .reduce((part, key) => part[key], document);
      return namesIn(target, [...seen, $ref]);
    }
    const own = 'properties' in schema ? Object.keys(schema.properties as object) : [];
    return [...own, ...Object.values(schema).flatMap((part) => namesIn(part, seen))];
  }

  test.each(procedures)('$name is not that of a secret, but where one is shown once', ({ name }) => {
    const [operation] = Object.values(document.paths[`/${name}`]) as { responses: unknown }[];
    const names = new Set(namesIn(operation?.responses));
    expect(names.size).toBeGreaterThan(0);
    const secretive = [...names].filter((field) => SECRETIVE.test(field) && !/^has[A-Z]/.test(field));
    expect(secretive.sort()).toEqual([...(ALLOWED['*'] ?? []), ...(ALLOWED[`/${name}`] ?? [])].sort());
  });
});

describe('a call of', () => {
  type Kind = { holder: keyof Cast; caller(): Caller };
  const session = (holder: keyof Cast): Kind => ({
    holder,
    caller: () => httpCaller(h.baseUrl, headers(cast[holder].cookie)),
  });
  const key = (holder: keyof typeof keys): Kind => ({
    holder,
    caller: () => httpCaller(h.baseUrl, { ...headers(), 'x-api-key': keys[holder] }),
  });
  const CALLERS: Kind[] = [
    session('owner'),
    key('owner'),
    session('root'),
    key('root'),
    session('member'),
    key('member'),
    { holder: 'outsider', caller: () => httpCaller(h.baseUrl, headers()) },
    { holder: 'outsider', caller: () => httpCaller(h.baseUrl, { ...headers(), 'x-api-key': SENT }) },
  ];

  const HOSTILE = [...CALLERS.slice(-2), ...CALLERS.slice(0, 1)];
  async function inputOf(
    { name }: Procedure,
    holder: keyof Cast,
    stage: Stage,
  ): Promise<Record<string, unknown>> {
    return (await INPUTS[name]?.({ h, cast, stage, holder: cast[holder] })) ?? {};
  }

  /** Each is refused, or takes what it was sent for what it is. */
  async function hostileCalls(procedure: Procedure, caller: () => Caller, input: Record<string, unknown>) {
    const { name, type, fields } = procedure;
    const note = (reply: Reply) => watch.note(name, reply);
    const junk = Object.fromEntries(Object.entries(JUNK).filter(([field]) => !fields.includes(field)));
    note(await call(caller(), procedure, { ...input, ...junk }));
    for (const field of fields) {
      note(await call(caller(), procedure, { ...input, [field]: OBJECT }));
      note(await call(caller(), procedure, { ...input, [field]: [OBJECT, SENT] }));
      if (!SECRET_FIELDS.includes(field)) continue;
      note(await call(caller(), procedure, { ...input, [field]: SENT }));
      note(await call(caller(), procedure, { ...input, [field]: SENT.repeat(999) }));
    }
    const wrapped = [
      JUNK,
      { ...input, ...Object.fromEntries(fields.map((field) => [field, OBJECT])) },
      { json: { ...input, ...JUNK } },
      { json: JUNK, meta: { values: { password: [SENT], token: ['Date'] } } },
      { json: JUNK, meta: { values: { token: [['custom', SENT]], [SENT]: ['Error'] } } },
    ].map((value) => JSON.stringify(value));
    const texts = [...wrapped, `{"token":"${SENT}","password":${SENT}}`, `"${SENT}`, SENT];
    for (const [at, text] of texts.entries()) {
      const search = `?token=${SENT}&password=${SENT}`;
      const query = `${search}&input=${encodeURIComponent(text)}`;
      const post = { method: 'POST', body: text, headers: { 'content-type': 'application/json' } };
      const [trpc, init] = type === 'query' ? [query, {}] : [search, post];
      const ways: [string, RequestInit][] = [
        [`/api/trpc/${name}${trpc}`, init],
        [`/api/trpc/${name},user.one${trpc}&batch=1`, init],
        [`/api/${name}${query}`, init],
        [`/api/${name}${query}`, type === 'query' ? post : {}],
      ];
      for (const [path, request] of inTurns(ways, procedures.indexOf(procedure) + at, ways.length)) {
        note(await caller().send(path, request));
      }
    }
  }

  test.each(procedures)('$name shows what it is there to show', { timeout: 60_000 }, async (procedure) => {
    const statuses: number[] = [];
    let stage = await createStage(h, cast);
    for (const { holder, caller } of CALLERS) {
      const input = await inputOf(procedure, holder, stage);
      const { status } = watch.note(procedure.name, await call(caller(), procedure, input));
      statuses.push(status);
      if (status !== 200 || procedure.type === 'query') continue;
      await restoreSessions();
      stage = await createStage(h, cast);
    }
    expect(statuses).toContain(200);
    for (const { holder, caller } of inTurns(HOSTILE, procedures.indexOf(procedure), HOSTILE.length)) {
      await hostileCalls(procedure, caller, await inputOf(procedure, holder, stage));
      await restoreSessions();
      stage = await createStage(h, cast);
    }
    await forget();
  });

  test('any procedure shows no secret anywhere else', expectNoLeaks, 120_000);
});

test('new passwords, addresses and SSH keys show in no place either', async () => {
  const someone = await h.user();
  watch.cookie(someone.cookie);
  const ask = async (name: string, input: object) => {
    const caller = httpCaller(h.baseUrl, headers(someone.cookie));
    const reply = watch.note(name, await call(caller, procedureOf(name), { ...input }));
    expect(reply.status, reply.text).toBe(200);
    return reply.body;
  };
  const pair = await ask('sshKey.generate', {});
  await ask('sshKey.create', { name: 'mine', ...pair });
  const password = 'Another-horse-2';
  watch.secret(password);
  await ask('user.update', { password, currentPassword: PASSWORD });
  await ask('user.update', { email: 'moved@example.org', currentPassword: password });
  const token = await tokenTo('moved@example.org', 'verify-email');
  watch.note('auth/verify-email', await h.anonymous.post('auth/verify-email', { token }, anotherClient()));
  await ask('user.export', {});
  await ask('user.remove', { userId: someone.id, currentPassword: password, deleteOrganizations: true });
  await expectNoLeaks();
});

const VISITOR = 'visitor@example.org';
/** What each route reads, in its own form and with secrets that are wrong. */
const AUTH: Record<string, Record<string, unknown>> = {
  'get-session': {},
  'sign-up/email': { email: 'sent@example.org', name: 'Sent', password: SENT, invitationToken: SENT },
  'sign-in/email': { email: VISITOR, password: SENT },
  'sign-out': {},
  'send-verification-email': { email: VISITOR },
  'verify-email': { token: SENT },
  'request-password-reset': { email: VISITOR },
  'reset-password': { token: SENT, newPassword: SENT },
  'two-factor/enable': { password: SENT },
  'two-factor/disable': { password: SENT },
  'two-factor/generate-backup-codes': { password: SENT },
  'two-factor/verify-totp': { code: SENT },
  'two-factor/verify-backup-code': { code: SENT },
};

describe('/api/auth', () => {
  const visitor = (cookie = '') =>
    browser(h, cookie === '' ? anotherClient() : { cookie, ...anotherClient() });

  test('a whole life of an account shows its secrets in their places alone', async () => {
    const eve = visitor();
    const ask = async (path: string, body?: object) => {
      const send =
        body === undefined ? eve.get(`auth/${path}`) : eve.post(`auth/${path}`, body, anotherClient());
      const reply = watch.note(`auth/${path}`, await send);
      expect(reply.status, `${path}: ${reply.text}`).toBe(200);
      return reply.body;
    };
    const password = 'Yet-another-horse-3';
    watch.secret(password);
    await ask('sign-up/email', { email: VISITOR, name: 'Eve', password: PASSWORD });
    await ask('send-verification-email', { email: VISITOR });
    await ask('verify-email', { token: await tokenTo(VISITOR, 'verify-email') });
    await ask('request-password-reset', { email: VISITOR });
    await ask('reset-password', { token: await tokenTo(VISITOR, 'reset-password'), newPassword: password });
    await ask('sign-in/email', { email: VISITOR, password });
    await ask('get-session');
    const { totpURI } = await ask('two-factor/enable', { password });
    const code = () => codeOf(totpURI, h.app.deps.now());
    await ask('two-factor/verify-totp', { code: code() });
    const { backupCodes } = await ask('two-factor/generate-backup-codes', { password });
    await ask('sign-out', {});
    await ask('sign-in/email', { email: VISITOR, password });
    await ask('two-factor/verify-backup-code', { code: backupCodes[0] });
    nextCode(h);
    await ask('sign-in/email', { email: VISITOR, password });
    await ask('two-factor/verify-totp', { code: code() });
    for (const path of ['user.export', 'user.get', 'user.me', 'session.all', 'auditLog.all', 'apiKey.all']) {
      watch.note(path, await eve.get(path));
    }
    await ask('two-factor/disable', { password });
    await ask('sign-out', {});
    await expectNoLeaks();
  });

  const paths = () => {
    const cookies = { sessionCookie: {}, twoFactorCookie: {} } as unknown as Identity;
    const routes = authRoutes({
      identity: cookies,
      deps: h.app.deps,
      rateLimiter: createMemoryRateLimiter(),
    });
    return [...routes].map(([path, { method }]) => ({ path, method }));
  };

  test('wrong secrets come back from nowhere', { timeout: 60_000 }, async () => {
    expect(Object.keys(AUTH)).toEqual(paths().map(({ path }) => path));
    for (const { path, method } of paths()) {
      const body = AUTH[path] ?? {};
      const bodies = [
        body,
        { ...body, ...JUNK },
        ...Object.keys(body).flatMap((field) =>
          [OBJECT, [SENT], SENT.repeat(999)].map((value) => ({ ...body, [field]: value })),
        ),
      ].map((value) => JSON.stringify(value));
      for (const text of [...bodies, `{"password":"${SENT}`, SENT]) {
        for (const cookie of [undefined, cast.member.cookie, `better-auth.two_factor=${SENT}.${SENT}`]) {
          const sent = { ...headers(cookie), 'content-type': 'application/json' };
          const caller = httpCaller(h.baseUrl, sent);
          const init = method === 'GET' ? {} : { method, body: text };
          const reply = await caller.send(`/api/auth/${path}?token=${SENT}&password=${SENT}`, init);
          expect(reply.status).not.toBe(500);
          watch.note(`auth/${path}`, reply);
        }
      }
      await restoreSessions();
    }
    await expectNoLeaks();
  });
});

test('pages, operations, and what is no request at all keep what they were sent', async () => {
  const query = `?token=${SENT}&password=${SENT}#token=${SENT}`;
  for (const path of [
    ...['/', '/docs', '/api/openapi.json', '/openapi.json', '/health', '/ready', '/metrics', '/nothing'],
    ...[
      '/invitation',
      '/invitation.js',
      '/verify-email',
      '/reset-password',
      '/reset-password.js',
      '/page.css',
    ],
    ...[
      '/api/nothing',
      '/api/auth/nothing',
      '/api/trpc/nothing',
      '/api/%zz',
      '/api/trpc/',
      '/avatars/nothing',
    ],
  ]) {
    for (const method of ['GET', 'POST', 'DELETE', 'OPTIONS', 'PROPFIND']) {
      const caller = httpCaller(h.baseUrl, headers(cast.owner.cookie));
      watch.note(path, await caller.send(`${path}${query}`, { method }));
    }
  }
  const metrics = await h.anonymous.send('/metrics', {
    headers: { authorization: `Bearer ${METRICS_TOKEN}` },
  });
  expect(metrics.status).toBe(200);
  watch.note('/metrics', metrics);
  const rest = `Host: x\r\nCookie: ${cast.owner.cookie}\r\nX-Api-Key: ${SENT}\r\nConnection: close\r\n\r\n`;
  for (const bytes of [
    `GET /health${query} HTTP/9.9\r\n${rest}`,
    `BREW /health${query} HTTP/1.1\r\n${rest}`,
    `GET http://${SENT}:${SENT}@x/health HTTP/1.1\r\n${rest}`,
    `GET http://${SENT}:${SENT}@x/nothing HTTP/1.1\r\n${rest}`,
    `GET /invitation%3Ftoken=${SENT} HTTP/1.1\r\n${rest}`,
    `GET /invitation%3ftoken%3d${SENT} HTTP/1.1\r\n${rest}`,
    `GET /invitation&token=${SENT} HTTP/1.1\r\n${rest}`,
    `GET /reset-password;token=${SENT} HTTP/1.1\r\n${rest}`,
    `GET /reset-password#token=${SENT} HTTP/1.1\r\n${rest}`,
    `GET /health HTTP/1.1\r\nA: ${SENT.repeat(999)}\r\n${rest}`,
    `GET /health HTTP/1.1\r\n${SENT}\r\n${rest}`,
    `POST /api/auth/sign-in/email HTTP/1.1\r\nTransfer-Encoding: chunked\r\n${rest}${SENT}\r\n`,
  ]) {
    watch.keep(`answer to ${bytes.slice(0, 20)}`, await sendRaw(h.baseUrl, bytes));
  }
  await expectNoLeaks();
});

describe('a fault of the database', () => {
  const TABLES = [...Object.keys(CREDENTIALS), 'audit_log'];
  /** The first of them, or as many as there are rounds. */
  const faultsOf = (table: string) =>
    [
      // PostgreSQL quotes the whole row, credentials and all.
      [
        `alter table ${table} add constraint nothing_goes check (false) not valid`,
        `alter table ${table} drop constraint nothing_goes`,
      ],
      [`alter table ${table} rename to elsewhere`, `alter table elsewhere rename to ${table}`],
    ].slice(0, roundsOf(1));
  /** What ends the session or the organization comes last. */
  const isEnd = ({ name }: Procedure) =>
    Number(/^(?:organization\.(?:delete|leave|transferOwnership)|session\.logout.*)$/.test(name));
  const mutations = procedures.filter(({ type }) => type === 'mutation').sort((a, b) => isEnd(a) - isEnd(b));

  test.each(TABLES)('in %s fails some requests', { timeout: 60_000 }, async (table) => {
    const statuses = new Set<number>();
    const note = (path: string, reply: Reply) => statuses.add(watch.note(path, reply).status);
    for (const [spoil = '', mend = ''] of faultsOf(table)) {
      const [stage, someone] = [await createStage(h, cast), await h.user()];
      watch.cookie(someone.cookie);
      const calls: [Procedure, TestUser, object][] = [];
      for (const procedure of mutations) {
        const holder = procedure.meta.access?.startsWith('platform:') ? cast.root : cast.owner;
        const input = await INPUTS[procedure.name]?.({ h, cast, stage, holder });
        calls.push([procedure, holder, input ?? {}]);
      }
      await h.sql.unsafe(spoil);
      try {
        for (const [procedure, { cookie }, input] of calls) {
          note(procedure.name, await call(httpCaller(h.baseUrl, headers(cookie)), procedure, { ...input }));
        }
        for (const [path, body] of Object.entries(AUTH)) {
          const caller = httpCaller(h.baseUrl, headers(someone.cookie));
          if (path === 'sign-out') continue; // the others need the session
          note(`auth/${path}`, await caller.post(`auth/${path}`, { ...body, password: PASSWORD }));
        }
      } finally {
        await h.sql.unsafe(mend);
        await restoreSessions();
        await forget();
      }
    }
    if (table !== 'verifications') expect(statuses).toContain(500); // nothing is written there
  });

  test('is told without secrets', expectNoLeaks, 120_000);
});
