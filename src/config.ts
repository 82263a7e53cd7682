import { isAbsolute, resolve } from 'node:path';
import ipaddr from 'ipaddr.js';
import { z } from 'zod';
import { passwordProblem } from './kernel/password.ts';
import { Email, Network } from './kernel/schemas.ts';
import { DNS_PROVIDERS, type DnsProviderName } from './kernel/vocabulary.ts';

/** Settings that cannot work. `problems` has one sentence for each. */
export class ConfigError extends Error {
  readonly problems: readonly string[];
  constructor(problems: readonly string[]) {
    super(`The settings cannot be used:\n${problems.map((problem) => `  - ${problem}`).join('\n')}`);
    this.problems = problems;
  }
}

const list = z
  .string()
  .transform((text) => text.split(',').map((item) => item.trim()))
  .transform((items) => items.filter((item) => item !== ''));
const whole = (min: number, max: number) => {
  const error = `must be a whole number from ${min} to ${max}`;
  return z.coerce.number(error).refine((n) => Number.isInteger(n) && n >= min && n <= max, error);
};
/** An address, or a range in CIDR notation. */
const network = z
  .string()
  .refine(
    (text) => ipaddr.isValid(text) || ipaddr.isValidCIDR(text),
    'must be addresses or ranges such as 10.0.0.0/8',
  );
/** Two ports, both included. */
const portRange = z
  .string()
  .regex(/^\d{1,5}-\d{1,5}$/, 'must be two ports such as 20000-29999')
  .transform((text) => {
    const [firstPort = 0, lastPort = 0] = text.split('-').map(Number);
    return { firstPort, lastPort };
  })
  .refine(
    ({ firstPort, lastPort }) => firstPort >= 1 && firstPort <= lastPort && lastPort <= 65_535,
    'must be two ports from 1 to 65535, the lower one first',
  );
const HOST_NAME = /^(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}$/;
/** Without the dot at its end, which some write. */
const hostName = z
  .string()
  .toLowerCase()
  .transform((text) => text.replace(/\.$/, ''))
  .refine((text) => HOST_NAME.test(text), 'must be host names');
/** An address, with a port or without one. */
const isServer = (text: string): boolean => {
  const [, bare = text] = /^\[?([0-9a-f.:]+?)\]?(?::\d{1,5})?$/i.exec(text) ?? [];
  return ipaddr.isValid(bare) || ipaddr.isValid(text);
};
const canBeDecoded = (text: string): boolean => {
  try {
    decodeURIComponent(text);
    return true;
  } catch (error) {
    if (error instanceof URIError) return false;
    throw error;
  }
};
/** One that is no URL ends the checks, as those that follow read its parts. */
const url = (protocol: RegExp, example: string) =>
  z.url({ protocol, abort: true, error: `must be a URL such as ${example}` });
const webAddress = url(/^https?$/, 'https://host:8081');
/** A server, with the user and the password that it asks for. */
const account = (protocol: RegExp, example: string) =>
  url(protocol, `${example}, with / ? # and @ in its password written as %2F %3F %23 %40`).refine((text) => {
    const { username, password, hostname } = new URL(text);
    return [username, password, hostname].every(canBeDecoded);
  }, 'must have a % in its user or password written as %25');
const postgresAccount = account(/^postgres(ql)?$/, 'postgres://user:password@host:5432/name');
/** Our pages lie at its root: a path would be missing from every link. */
const origin = url(/^https?$/, 'https://panel.example.com')
  .refine((text) => /^[^/]+\/\/[^/?#]+\/?$/.test(text), 'must have no path')
  .transform((text) => new URL(text).origin);
/** An address, alone or in angle brackets behind a name (RFC 5322, 3.4). */
const SENDER = /^(?:[^<>]*<[^\s<>@,]+@[^\s<>@,]+>|[^\s<>@,]+@[^\s<>@,]+)$/;

const Settings = z.object({
  HOST: z.string().default('127.0.0.1'),
  PORT: whole(0, 65_535).default(3000),
  PUBLIC_URL: origin.optional(),
  TRUSTED_ORIGINS: list.pipe(z.array(origin)).default([]),
  TRUSTED_PROXIES: list.pipe(z.array(network)).default([]),
  DATA_DIR: z.string().min(1).optional(),
  DATABASE_URL: postgresAccount.optional(),
  DATABASE_REPLICA_URL: postgresAccount.optional(),
  DATABASE_POOL_SIZE: whole(1, 200).default(10),
  AUTH_SECRET: z.string().min(32, 'must have at least 32 characters').optional(),
  ROOT_EMAIL: Email.optional(),
  ROOT_PASSWORD: z
    .string()
    .check((context) => {
      const message = passwordProblem(context.value);
      if (message !== undefined) context.issues.push({ code: 'custom', message, input: context.value });
    })
    .optional(),
  DNS_BASE_DOMAIN: z
    .string()
    .toLowerCase()
    .regex(HOST_NAME, 'must be a domain such as example.com')
    .default('tenantry.internal'),
  MAX_ORGANIZATIONS_PER_USER: whole(1, 1_000_000).default(20),
  RATE_LIMIT_PER_MINUTE: whole(0, 10_000_000).default(6_000),
  REDIS_URL: account(/^rediss?$/, 'redis://:password@host:6379').optional(),
  MAIL_FROM: z
    .string()
    .max(320)
    .regex(SENDER, 'must be an address such as Acme <no-reply@example.com>')
    .default('Tenantry <no-reply@localhost>'),
  SMTP_URL: account(/^smtps?$/, 'smtp://user:password@host:587').optional(),
  RESEND_API_KEY: z.string().min(1).optional(),
  AVATAR_S3_BUCKET: z.string().min(3).max(255).optional(),
  AVATAR_S3_ENDPOINT: webAddress.optional(),
  AVATAR_S3_REGION: z.string().min(1).default('us-east-1'),
  AVATAR_S3_ACCESS_KEY_ID: z.string().min(1).optional(),
  AVATAR_S3_SECRET_ACCESS_KEY: z.string().min(1).optional(),
  AVATAR_S3_FORCE_PATH_STYLE: z.stringbool().optional(),
  TUNNEL_HOST: z
    .string()
    .max(253)
    .regex(/^[a-z0-9.:-]+$/i, 'must be a host name or an address')
    .optional(),
  TUNNEL_PORT_RANGE: portRange.prefault('20000-29999'),
  DNS_PROVIDER: z.enum(DNS_PROVIDERS).optional(),
  DNS_NAMESERVERS: list.pipe(z.array(hostName)).default([]),
  DNS_RESOLVER: list
    .pipe(z.array(z.string().refine(isServer, 'must be addresses such as 192.0.2.53 or 127.0.0.1:5353')))
    .default([]),
  POWERDNS_API_URL: webAddress.optional(),
  POWERDNS_API_KEY: z.string().min(1).optional(),
  CLOUDFLARE_API_TOKEN: z.string().min(1).optional(),
  CLOUDFLARE_ACCOUNT_ID: z.string().min(1).max(64).optional(),
  CLOUDFLARE_API_URL: webAddress.optional(),
  WEBHOOK_ALLOW_HTTP: z.stringbool().default(false),
  WEBHOOK_ALLOWED_NETWORKS: list.pipe(z.array(Network)).default([]),
  METRICS_TOKEN: z.string().min(16, 'must have at least 16 characters').optional(),
  OTEL_EXPORTER_OTLP_ENDPOINT: webAddress.optional(),
  OTEL_SERVICE_NAME: z.string().min(1).max(255).default('tenantry'),
  LOG_LEVEL: z.enum(['silent', 'fatal', 'error', 'warn', 'info', 'debug', 'trace']).default('info'),
});

type Parsed = z.infer<typeof Settings>;

const CONTRADICTIONS: readonly [(settings: Parsed) => boolean, string][] = [
  [
    (s) => (s.ROOT_EMAIL === undefined) !== (s.ROOT_PASSWORD === undefined),
    'ROOT_EMAIL and ROOT_PASSWORD are set together or not at all.',
  ],
  [
    (s) => s.SMTP_URL !== undefined && s.RESEND_API_KEY !== undefined,
    'SMTP_URL and RESEND_API_KEY are two ways to deliver mail: set one of them.',
  ],
  [
    (s) =>
      new Set(
        [s.AVATAR_S3_BUCKET, s.AVATAR_S3_ACCESS_KEY_ID, s.AVATAR_S3_SECRET_ACCESS_KEY].map(
          (value) => value === undefined,
        ),
      ).size > 1,
    'AVATAR_S3_BUCKET, AVATAR_S3_ACCESS_KEY_ID and AVATAR_S3_SECRET_ACCESS_KEY are set together or not at all.',
  ],
  [
    (s) => s.AVATAR_S3_ENDPOINT !== undefined && s.AVATAR_S3_BUCKET === undefined,
    'AVATAR_S3_BUCKET is needed with AVATAR_S3_ENDPOINT.',
  ],
  [
    (s) => (s.POWERDNS_API_URL === undefined) !== (s.POWERDNS_API_KEY === undefined),
    'POWERDNS_API_URL and POWERDNS_API_KEY are set together or not at all.',
  ],
  [
    (s) => s.POWERDNS_API_URL !== undefined && s.DNS_NAMESERVERS.length === 0,
    'DNS_NAMESERVERS is needed with POWERDNS_API_URL: the host names under which its name servers are reached.',
  ],
  [
    (s) => (s.CLOUDFLARE_API_TOKEN === undefined) !== (s.CLOUDFLARE_ACCOUNT_ID === undefined),
    'CLOUDFLARE_API_TOKEN and CLOUDFLARE_ACCOUNT_ID are set together or not at all.',
  ],
  [
    (s) => s.CLOUDFLARE_API_URL !== undefined && s.CLOUDFLARE_API_TOKEN === undefined,
    'CLOUDFLARE_API_TOKEN is needed with CLOUDFLARE_API_URL.',
  ],
  [
    (s) => s.DNS_PROVIDER === 'cloudflare' && s.CLOUDFLARE_API_TOKEN === undefined,
    'CLOUDFLARE_API_TOKEN is needed with DNS_PROVIDER=cloudflare.',
  ],
  [
    (s) => s.DNS_PROVIDER === 'custom' && s.POWERDNS_API_URL === undefined,
    'POWERDNS_API_URL is needed with DNS_PROVIDER=custom.',
  ],
  [
    (s) => s.DATABASE_URL !== undefined && s.AUTH_SECRET === undefined,
    'AUTH_SECRET is needed with DATABASE_URL, so that every process signs alike: set it to the output of `openssl rand -base64 32`.',
  ],
  [
    (s) => s.DATABASE_REPLICA_URL !== undefined && s.DATABASE_URL === undefined,
    'DATABASE_URL is needed with DATABASE_REPLICA_URL: the embedded database has no replica.',
  ],
  [
    (s) => s.PORT === 0 && s.PUBLIC_URL === undefined,
    'PUBLIC_URL is needed with PORT=0: links cannot name a port that is not known yet.',
  ],
];

type AvatarStorage =
  | { kind: 'disk' }
  | {
      kind: 's3';
      endpoint: string | undefined;
      region: string;
      bucket: string;
      accessKeyId: string;
      secretAccessKey: string;
      forcePathStyle: boolean;
    };

export type Config = {
  host: string;
  port: number;
  /** Origin under which people reach the service; no trailing slash. */
  publicUrl: string;
  /** Pages that may send requests with a session. The service's own pages are among them. */
  trustedOrigins: string[];
  /** Other pages that may read answers (CORS). */
  corsOrigins: string[];
  trustedProxies: string[];
  /** Absolute; undefined lets the embedded server choose. */
  dataDir: string | undefined;
  /** Undefined for the embedded server. */
  databaseUrl: string | undefined;
  /** A standby of that database; undefined where there is none. */
  databaseReplicaUrl: string | undefined;
  databasePoolSize: number;
  /** Undefined: generated into the data directory. */
  secret: string | undefined;
  root: { email: string; password: string } | undefined;
  dnsBaseDomain: string;
  maxOrganizationsPerUser: number;
  /** Calls of one caller, whatever they do; 0 is no limit. */
  callsPerMinute: number;
  /** Where limits are counted; undefined counts them in this process. */
  redisUrl: string | undefined;
  mail: { from: string } & (
    | { kind: 'files' }
    | { kind: 'smtp'; url: string }
    | { kind: 'resend'; apiKey: string }
  );
  /** Where avatars are kept. */
  avatarStorage: AvatarStorage;
  /** Where tunnels get their public ports, both ends of the range included. */
  tunnels: { host: string; firstPort: number; lastPort: number };
  dns: {
    /** Who serves new zones, where there is a choice. */
    provider: DnsProviderName;
    nameservers: string[];
    /** Name servers to ask about delegations, as address or address:port; none are those of the system. */
    resolvers: string[];
    powerdns: { url: string; apiKey: string } | undefined;
    cloudflare: { token: string; accountId: string; url: string | undefined } | undefined;
  };
  /** What webhooks may reach besides public addresses over https. */
  webhooks: { allowHttp: boolean; allowedNetworks: string[] };
  metricsToken: string | undefined;
  /** Where traces go; undefined makes none. */
  tracing: { endpoint: string; serviceName: string } | undefined;
  logLevel: Parsed['LOG_LEVEL'];
};

function mailOf({ MAIL_FROM: from, SMTP_URL: url, RESEND_API_KEY: apiKey }: Parsed): Config['mail'] {
  if (url !== undefined) return { from, kind: 'smtp', url };
  return apiKey === undefined ? { from, kind: 'files' } : { from, kind: 'resend', apiKey };
}

/** Services other than Amazon's name the bucket in the path, unless told otherwise. */
function avatarStorageOf(settings: Parsed): AvatarStorage {
  const { AVATAR_S3_BUCKET: bucket, AVATAR_S3_ENDPOINT: endpoint } = settings;
  const { AVATAR_S3_ACCESS_KEY_ID: accessKeyId, AVATAR_S3_SECRET_ACCESS_KEY: secretAccessKey } = settings;
  if (bucket === undefined || accessKeyId === undefined || secretAccessKey === undefined) {
    return { kind: 'disk' };
  }
  const forcePathStyle = settings.AVATAR_S3_FORCE_PATH_STYLE ?? endpoint !== undefined;
  const region = settings.AVATAR_S3_REGION;
  return { kind: 's3', endpoint, region, bucket, accessKeyId, secretAccessKey, forcePathStyle };
}

function dnsOf(settings: Parsed): Config['dns'] {
  const { POWERDNS_API_URL: url, POWERDNS_API_KEY: apiKey } = settings;
  const { CLOUDFLARE_API_TOKEN: token, CLOUDFLARE_ACCOUNT_ID: accountId } = settings;
  const powerdns = url === undefined || apiKey === undefined ? undefined : { url, apiKey };
  const cloudflare =
    token === undefined || accountId === undefined
      ? undefined
      : { token, accountId, url: settings.CLOUDFLARE_API_URL };
  return {
    provider:
      settings.DNS_PROVIDER ?? (powerdns === undefined && cloudflare !== undefined ? 'cloudflare' : 'custom'),
    nameservers: settings.DNS_NAMESERVERS,
    resolvers: settings.DNS_RESOLVER,
    powerdns,
    cloudflare,
  };
}

/** A service on this machine is reached by either of its names. */
function ownOrigins(publicUrl: string): string[] {
  const { protocol, hostname, port } = new URL(publicUrl);
  if (hostname !== 'localhost' && hostname !== '127.0.0.1') return [publicUrl];
  return ['localhost', '127.0.0.1'].map((host) => new URL(`${protocol}//${host}:${port}`).origin);
}

/**
 * Reads the settings from the environment; an empty variable is an absent one.
 *
 * @throws ConfigError that lists everything that is wrong, never a value.
 */
export function readConfig(environment: NodeJS.ProcessEnv): Config {
  const given = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ''));
  const result = Settings.safeParse(given);
  if (!result.success) {
    throw new ConfigError(result.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`));
  }
  const settings = result.data;
  const problems = CONTRADICTIONS.filter(([holds]) => holds(settings)).map(([, message]) => message);
  if (problems.length > 0) throw new ConfigError(problems);

  const publicUrl = settings.PUBLIC_URL ?? `http://localhost:${settings.PORT}`;
  const { ROOT_EMAIL: email, ROOT_PASSWORD: password, DATA_DIR: dataDir } = settings;
  return {
    host: settings.HOST,
    port: settings.PORT,
    publicUrl,
    trustedOrigins: [...ownOrigins(publicUrl), ...settings.TRUSTED_ORIGINS],
    corsOrigins: settings.TRUSTED_ORIGINS,
    trustedProxies: settings.TRUSTED_PROXIES,
    dataDir: dataDir === undefined || isAbsolute(dataDir) ? dataDir : resolve(dataDir),
    databaseUrl: settings.DATABASE_URL,
    databaseReplicaUrl: settings.DATABASE_REPLICA_URL,
    databasePoolSize: settings.DATABASE_POOL_SIZE,
    secret: settings.AUTH_SECRET,
    root: email === undefined || password === undefined ? undefined : { email, password },
    dnsBaseDomain: settings.DNS_BASE_DOMAIN,
    maxOrganizationsPerUser: settings.MAX_ORGANIZATIONS_PER_USER,
    callsPerMinute: settings.RATE_LIMIT_PER_MINUTE,
    redisUrl: settings.REDIS_URL,
    mail: mailOf(settings),
    avatarStorage: avatarStorageOf(settings),
    tunnels: {
      host: settings.TUNNEL_HOST ?? new URL(publicUrl).hostname,
      ...settings.TUNNEL_PORT_RANGE,
    },
    dns: dnsOf(settings),
    webhooks: {
      allowHttp: settings.WEBHOOK_ALLOW_HTTP,
      allowedNetworks: settings.WEBHOOK_ALLOWED_NETWORKS,
    },
    metricsToken: settings.METRICS_TOKEN,
    tracing:
      settings.OTEL_EXPORTER_OTLP_ENDPOINT === undefined
        ? undefined
        : { endpoint: settings.OTEL_EXPORTER_OTLP_ENDPOINT, serviceName: settings.OTEL_SERVICE_NAME },
    logLevel: settings.LOG_LEVEL,
  };
}
