import { expect, test } from 'vitest';
import { ConfigError, readConfig } from '../src/config.ts';

const S3 = {
  AVATAR_S3_BUCKET: 'avatars',
  AVATAR_S3_ACCESS_KEY_ID: 'an-id',
  AVATAR_S3_SECRET_ACCESS_KEY: 'canary',
};
const storageOf = (environment: Record<string, string>) => readConfig(environment).avatarStorage;

function problemsOf(environment: Record<string, string>): readonly string[] {
  try {
    readConfig(environment);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
}

test('avatars are kept on disk, or in a bucket where one is named', () => {
  expect(storageOf({})).toEqual({ kind: 'disk' });
  const amazon = {
    kind: 's3',
    endpoint: undefined,
    region: 'us-east-1',
    bucket: 'avatars',
    accessKeyId: 'an-id',
    secretAccessKey: 'canary',
    forcePathStyle: false,
  };
  expect(storageOf(S3)).toEqual(amazon);
  const endpoint = 'https://s3.example.org';
  expect(storageOf({ ...S3, AVATAR_S3_ENDPOINT: endpoint, AVATAR_S3_REGION: 'eu-1' })).toEqual({
    ...amazon,
    endpoint,
    region: 'eu-1',
    forcePathStyle: true,
  });
  const hosts = { ...S3, AVATAR_S3_ENDPOINT: endpoint, AVATAR_S3_FORCE_PATH_STYLE: 'false' };
  expect(storageOf(hosts)).toMatchObject({ forcePathStyle: false });
});

test('half of the settings of S3 is a contradiction, and no value is quoted', () => {
  for (const name of Object.keys(S3)) {
    const problems = problemsOf({ ...S3, [name]: '' });
    expect(problems).toEqual([expect.stringContaining('set together or not at all')]);
    expect(problems.join()).not.toContain('canary');
  }
  expect(problemsOf({ AVATAR_S3_ENDPOINT: 'https://s3.example.org' })).toEqual([
    'AVATAR_S3_BUCKET is needed with AVATAR_S3_ENDPOINT.',
  ]);
  expect(problemsOf({ ...S3, AVATAR_S3_ENDPOINT: 'ftp://x' })).toEqual([
    expect.stringContaining('AVATAR_S3_ENDPOINT'),
  ]);
});

test('a replica belongs to a database that is named too', () => {
  const DATABASE_REPLICA_URL = 'postgres://standby/tenantry';
  expect(problemsOf({ DATABASE_REPLICA_URL })).toEqual([
    'DATABASE_URL is needed with DATABASE_REPLICA_URL: the embedded database has no replica.',
  ]);
});

test.each(['DATABASE_URL', 'DATABASE_REPLICA_URL', 'SMTP_URL', 'REDIS_URL'])(
  'a password in %s whose %% is no escape is refused, and not quoted',
  (name) => {
    const protocol = { SMTP_URL: 'smtp', REDIS_URL: 'redis' }[name] ?? 'postgres';
    const problemsWith = (password: string) =>
      problemsOf({
        ...{ AUTH_SECRET: 'a-secret-for-tests-that-is-long-enough', DATABASE_URL: 'postgres://db/x' },
        [name]: `${protocol}://ada:${password}@db.example.org/x`,
      });
    expect(problemsWith('100%25canary')).toEqual([]);
    expect(problemsWith('100%canary')).toEqual([
      `${name}: must have a % in its user or password written as %25`,
    ]);
  },
);

test.each([
  ['DATABASE_URL', 'db.example.org/canary', 'postgres://user:password@host:5432/name'],
  ['DATABASE_URL', 'postgres://ada:can/ary@db.example.org/x', 'with / ? # and @ in its password written as'],
  ['REDIS_URL', 'canary', 'redis://:password@host:6379'],
  ['SMTP_URL', 'http://canary', 'smtp://user:password@host:587'],
  ['PUBLIC_URL', 'panel.example.org', 'https://panel.example.com'],
  ['PUBLIC_URL', 'https://example.org/panel', 'must have no path'],
  ['TRUSTED_ORIGINS', '*', 'https://panel.example.com'],
  ['MAIL_FROM', 'Acme Panel', 'Acme <no-reply@example.com>'],
  ['PORT', 'canary', 'must be a whole number from 0 to 65535'],
  ['DATABASE_POOL_SIZE', '2.5', 'must be a whole number from 1 to 200'],
  ['ROOT_PASSWORD', 'canary-1', 'The password needs an upper-case letter.'],
])('%s is refused as %s, by one sentence that names it and says what it must be', (name, value, sentence) => {
  const problems = problemsOf({ [name]: value });
  expect(problems).toEqual([expect.stringContaining(sentence)]);
  expect(problems.join()).toContain(name);
  expect(problems.join()).not.toContain('canary');
});

test.each(['https://panel.example.org', 'https://panel.example.org/', 'http://[::1]:3000'])(
  'PUBLIC_URL may be %s',
  (PUBLIC_URL) => expect(readConfig({ PUBLIC_URL }).publicUrl).toBe(new URL(PUBLIC_URL).origin),
);

test.each(['no-reply@example.org', 'Acme, Inc. <no-reply@example.org>', 'Tenantry <no-reply@localhost>'])(
  'mail may come from %s',
  (MAIL_FROM) => expect(readConfig({ MAIL_FROM }).mail.from).toBe(MAIL_FROM),
);

test('webhooks reach public addresses by https, and what the operator adds', () => {
  expect(readConfig({}).webhooks).toEqual({ allowHttp: false, allowedNetworks: [] });
  const environment = { WEBHOOK_ALLOW_HTTP: 'true', WEBHOOK_ALLOWED_NETWORKS: '10.1.2.3/8, fd00::1' };
  expect(readConfig(environment).webhooks).toEqual({
    allowHttp: true,
    allowedNetworks: ['10.0.0.0/8', 'fd00::1'],
  });
  expect(problemsOf({ WEBHOOK_ALLOW_HTTP: 'maybe', WEBHOOK_ALLOWED_NETWORKS: '10.0.0.0/33' })).toHaveLength(
    2,
  );
});

test('public ports of tunnels are at the service’s own host unless told otherwise, and in a range', () => {
  expect(readConfig({ PUBLIC_URL: 'https://panel.example.com:8443' }).tunnels).toEqual({
    host: 'panel.example.com',
    firstPort: 20_000,
    lastPort: 29_999,
  });
  const environment = { TUNNEL_HOST: '203.0.113.7', TUNNEL_PORT_RANGE: '7-7' };
  expect(readConfig(environment).tunnels).toEqual({ host: '203.0.113.7', firstPort: 7, lastPort: 7 });
  for (const range of ['7', '7-', '8-7', '0-7', '1-65536', '-1-7', ' 1-7', '1-7,9-11', '0x1-0x7']) {
    expect(problemsOf({ TUNNEL_PORT_RANGE: range })).toHaveLength(1);
  }
  for (const host of ['a b', 'http://a', 'a/b', 'a_b']) {
    expect(problemsOf({ TUNNEL_HOST: host })).toHaveLength(1);
  }
});

const POWERDNS = { POWERDNS_API_URL: 'http://127.0.0.1:8081', POWERDNS_API_KEY: 'canary' };
const CLOUDFLARE = { CLOUDFLARE_API_TOKEN: 'canary', CLOUDFLARE_ACCOUNT_ID: 'an-account' };

test('zones are served by whom the settings name', () => {
  expect(readConfig({}).dns).toMatchObject({
    provider: 'custom',
    powerdns: undefined,
    cloudflare: undefined,
  });
  const servers = {
    DNS_NAMESERVERS: 'NS1.example.net., ns2.example.net',
    DNS_RESOLVER: '192.0.2.53, [::1]:5353',
  };
  expect(readConfig({ ...POWERDNS, ...servers }).dns).toMatchObject({
    provider: 'custom',
    nameservers: ['ns1.example.net', 'ns2.example.net'],
    resolvers: ['192.0.2.53', '[::1]:5353'],
  });
  expect(readConfig(CLOUDFLARE).dns.provider).toBe('cloudflare');
  expect(readConfig({ ...CLOUDFLARE, ...POWERDNS, ...servers }).dns.provider).toBe('custom');
  expect(
    readConfig({ ...CLOUDFLARE, ...POWERDNS, ...servers, DNS_PROVIDER: 'cloudflare' }).dns.provider,
  ).toBe('cloudflare');
});

test.each([
  [{ POWERDNS_API_URL: POWERDNS.POWERDNS_API_URL, DNS_NAMESERVERS: 'ns.example.net' }, /set together/],
  [POWERDNS, /DNS_NAMESERVERS is needed/],
  [{ CLOUDFLARE_API_TOKEN: 'canary' }, /set together/],
  [{ CLOUDFLARE_API_URL: 'http://127.0.0.1' }, /CLOUDFLARE_API_TOKEN is needed/],
  [{ DNS_PROVIDER: 'cloudflare' }, /CLOUDFLARE_API_TOKEN is needed/],
  [{ DNS_PROVIDER: 'custom' }, /POWERDNS_API_URL is needed/],
  [{ DNS_NAMESERVERS: 'ns' }, /DNS_NAMESERVERS.*host names/],
  [{ DNS_RESOLVER: 'dns.example.net' }, /DNS_RESOLVER.*addresses/],
])('%j cannot serve zones', (environment, problem) => {
  const problems = problemsOf(environment);
  expect(problems).toEqual([expect.stringMatching(problem)]);
  expect(problems.join()).not.toContain('canary');
});

test('traces go to an address of http or https, or the start is refused', () => {
  const OTEL_EXPORTER_OTLP_ENDPOINT = 'http://127.0.0.1:4318';
  expect(readConfig({}).tracing).toBeUndefined();
  expect(readConfig({ OTEL_EXPORTER_OTLP_ENDPOINT }).tracing).toEqual({
    endpoint: OTEL_EXPORTER_OTLP_ENDPOINT,
    serviceName: 'tenantry',
  });
  for (const wrong of ['collector:4318', '127.0.0.1', 'grpc://127.0.0.1:4317']) {
    expect(problemsOf({ OTEL_EXPORTER_OTLP_ENDPOINT: wrong })).toEqual([
      expect.stringMatching(/^OTEL_EXPORTER_OTLP_ENDPOINT: /),
    ]);
  }
});
