import type { Database } from '../db/client.ts';

/** Slow, salted password hashes. Both throw SERVICE_UNAVAILABLE when too many wait. */
export type PasswordHasher = {
  hash(password: string): Promise<string>;
  verify(hash: string, password: string): Promise<boolean>;
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
  /** Where links in mails lead; no trailing slash. */
  publicUrl: string;
  /** Signs sessions and makes tokens. */
  secret: string;
};

/** What the outside world lends to the domain: nothing in domain/ reads a clock, a setting or a global. */
export type Deps = {
  db: Database;
  now: () => Date;
  passwords: PasswordHasher;
  rules: Rules;
};
