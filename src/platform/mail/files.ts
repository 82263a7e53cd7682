import { mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createTransport } from 'nodemailer';
import type { Mailer } from '../../domain/mail.ts';
import { compose } from './compose.ts';

/** Keeps each mail as an .eml file and says so in the log: for trying things out without a mail server. */
export function createFileMailer(options: {
  directory: string;
  from: string;
  log: (line: { to: string; subject: string; file: string }) => void;
}): Mailer {
  const transport = createTransport({ streamTransport: true, buffer: true, newline: 'windows' });
  return {
    async send(mail) {
      await mkdir(options.directory, { recursive: true, mode: 0o700 });
      const { message } = await transport.sendMail(compose(options.from, mail));
      const file = join(options.directory, `${mail.id}.eml`);
      await writeFile(`${file}.tmp`, message, { mode: 0o600 });
      await rename(`${file}.tmp`, file);
      options.log({ to: mail.to, subject: mail.subject, file });
    },
  };
}
