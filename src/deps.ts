import { join } from 'node:path';
import type { Config } from './config.ts';
import { dataDirOf } from './database.ts';
import type { Database } from './db/client.ts';
import type { Deps, RateLimit } from './domain/deps.ts';
import type { Dns } from './domain/dns-provider.ts';
import type { Mailer } from './domain/mail.ts';
import { withSealing } from './domain/sealing.ts';
import type { Storage } from './domain/storage.ts';
import { createPowerDns } from './platform/dns/powerdns.ts';
import { createResolver } from './platform/dns/resolver.ts';
import { createImages } from './platform/images.ts';
import { createPasswordHasher } from './platform/passwords.ts';
import { createSafePost } from './platform/safe-fetch.ts';
import { createSshKeyGenerator } from './platform/ssh-keys.ts';
import { createDiskStorage } from './platform/storage/disk.ts';
import { openSecret } from './secret.ts';

/**
 * What the domain needs, from the settings: the same for the service and for a command.
 *
 * @throws PRECONDITION_FAILED where the secret is not the installation's
 */
export async function createDeps(
  config: Config,
  database: Database,
  { now = () => new Date(), reader = database }: Partial<Pick<Deps, 'now' | 'reader'>> = {},
): Promise<Deps> {
  const secret = await openSecret(config, database);
  return {
    db: withSealing(database, secret),
    reader,
    now,
    passwords: createPasswordHasher(),
    sshKeys: createSshKeyGenerator(),
    images: createImages(),
    storage: await createStorage(config),
    post: createSafePost({ allowedNetworks: config.webhooks.allowedNetworks }),
    dns: await createDns(config),
    rules: {
      dnsBaseDomain: config.dnsBaseDomain,
      maxOrganizationsPerUser: config.maxOrganizationsPerUser,
      dns: {
        provider: config.dns.provider,
        nameservers: config.dns.nameservers,
        ownHosts: [...config.dns.nameservers, new URL(config.publicUrl).hostname],
      },
      publicUrl: config.publicUrl,
      secret,
      tunnels: config.tunnels,
      webhooks: config.webhooks,
    },
  };
}

async function createDns({ dns }: Config): Promise<Dns> {
  const { nameservers, powerdns, cloudflare } = dns;
  const providers: Dns['providers'] = {};
  if (powerdns !== undefined) providers.custom = createPowerDns({ ...powerdns, nameservers });
  if (cloudflare !== undefined) {
    const { createCloudflare } = await import('./platform/dns/cloudflare.ts');
    providers.cloudflare = createCloudflare(cloudflare);
  }
  return { providers, resolver: createResolver(dns.resolvers) };
}

/** The SDK of S3 is large, so it is loaded only where it is used. */
async function createStorage(config: Config): Promise<Storage> {
  const { avatarStorage } = config;
  if (avatarStorage.kind === 'disk') return createDiskStorage(join(dataDirOf(config), 'avatars'));
  const { createS3Storage } = await import('./platform/storage/s3.ts');
  return createS3Storage(avatarStorage);
}

/** One caller in a loop, or with a stolen key, leaves room for the others. */
export const callLimitOf = ({ callsPerMinute }: Config): RateLimit | undefined =>
  callsPerMinute === 0 ? undefined : { name: 'calls', points: callsPerMinute, seconds: 60 };

/** Where mails without a delivery service go. */
export const mailDirOf = (config: Config): string => join(dataDirOf(config), 'mail');

export async function createMailer(
  config: Config,
  log: (details: object, message: string) => void,
): Promise<Mailer> {
  const { mail } = config;
  switch (mail.kind) {
    case 'smtp':
      return (await import('./platform/mail/smtp.ts')).createSmtpMailer(mail);
    case 'resend':
      return (await import('./platform/mail/resend.ts')).createResendMailer(mail);
    case 'files':
      return (await import('./platform/mail/files.ts')).createFileMailer({
        directory: mailDirOf(config),
        from: mail.from,
        log: (line) => log(line, 'mail kept as a file'),
      });
  }
}
