import { join } from 'node:path';
import type { Config } from './config.ts';
import { dataDirOf } from './database.ts';
import type { Database } from './db/client.ts';
import type { Deps } from './domain/deps.ts';
import type { Mailer } from './domain/mail.ts';
import { createFileMailer } from './platform/mail/files.ts';
import { createResendMailer } from './platform/mail/resend.ts';
import { createSmtpMailer } from './platform/mail/smtp.ts';
import { createPasswordHasher } from './platform/passwords.ts';
import { loadSecret } from './secret.ts';

/** What the domain needs, from the settings: the same for the service and for a command. */
export async function createDeps(
  config: Config,
  database: Database,
  now: () => Date = () => new Date(),
): Promise<Deps> {
  return {
    db: database,
    now,
    passwords: createPasswordHasher(),
    rules: {
      dnsBaseDomain: config.dnsBaseDomain,
      maxOrganizationsPerUser: config.maxOrganizationsPerUser,
      publicUrl: config.publicUrl,
      secret: config.secret ?? (await loadSecret(dataDirOf(config))),
    },
  };
}

/** Where mails without a delivery service go. */
export const mailDirOf = (config: Config): string => join(dataDirOf(config), 'mail');

export function createMailer(config: Config, log: (details: object, message: string) => void): Mailer {
  const { mail } = config;
  switch (mail.kind) {
    case 'smtp':
      return createSmtpMailer(mail);
    case 'resend':
      return createResendMailer(mail);
    case 'files':
      return createFileMailer({
        directory: mailDirOf(config),
        from: mail.from,
        log: (line) => log(line, 'mail kept as a file'),
      });
  }
}
