import type { Database } from '../db/client.ts';
import type { Reader } from '../db/replica.ts';
import type { DnsProviderName } from '../kernel/vocabulary.ts';
import type { Dns } from './dns-provider.ts';
import type { Images } from './images.ts';
import type { SafePost } from './safe-fetch.ts';
import type { Storage } from './storage.ts';

/** Slow, salted password hashes. Both throw SERVICE_UNAVAILABLE when too many wait. */
export type PasswordHasher = {
  /** About how many there is time for; both count. */
  perMinute: number;
  hash(password: string): Promise<string>;
  /** Without a hash it takes as long, and is false: whoever guesses cannot tell that there is no account. */
  verify(hash: string | undefined, password: string): Promise<boolean>;
};

/** New pairs in OpenSSH's formats. Throws SERVICE_UNAVAILABLE when too many wait. */
export type SshKeyGenerator = {
  generate(type: 'rsa' | 'ed25519'): Promise<{ privateKey: string; publicKey: string }>;
};

/** At most `points` calls by one key in each `seconds`. */
export type RateLimit = { name: string; points: number; seconds: number };
export type RateLimitResult = { allowed: boolean; limit: number; remaining: number; resetSeconds: number };

export type RateLimiter = { consume(limit: RateLimit, key: string): Promise<RateLimitResult> };

/** What the domain is told of the settings. */
export type Rules = {
  /** Handles of one label are completed with it; nobody may claim it or a name above it. */
  dnsBaseDomain: string;
  maxOrganizationsPerUser: number;
  dns: {
    /** Who serves new zones. */
    provider: DnsProviderName;
    /** Of the operator's own. */
    nameservers: readonly string[];
    /** Hosts that the platform itself is reached by: nobody may claim them or a name above them. */
    ownHosts: readonly string[];
  };
  /** Where links in mails lead; no trailing slash. */
  publicUrl: string;
  /** Signs sessions, makes tokens and seals the audit trail. */
  secret: string;
  tunnels: {
    /** Where public ports are. */
    host: string;
    /** The ports that may be given out, both ends included. */
    firstPort: number;
    lastPort: number;
  };
  webhooks: {
    /** Whether http:// is accepted besides https://. */
    allowHttp: boolean;
    /** Addresses and ranges that may be reached although they are not public. */
    allowedNetworks: readonly string[];
  };
};

/** What the outside world lends to the domain: nothing in domain/ reads a clock, a setting or a global. */
export type Deps = {
  db: Database;
  /** A replica where there is one, and otherwise `db`: for what may be some seconds old, and never for a decision. */
  reader: Reader;
  now: () => Date;
  passwords: PasswordHasher;
  sshKeys: SshKeyGenerator;
  images: Images;
  /** Of avatars. */
  storage: Storage;
  /** Sends to addresses that tenants chose. */
  post: SafePost;
  dns: Dns;
  rules: Rules;
};
