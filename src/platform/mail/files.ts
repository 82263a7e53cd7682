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
  let made: Promise<unknown> | undefined;
  async function keep(file: string, message: Parameters<typeof writeFile>[1]): Promise<void> {
    made ??= mkdir(options.directory, { recursive: true, mode: 0o700 });
    try {
      await made;
      await writeFile(`${file}.tmp`, message, { mode: 0o600 });
      await rename(`${file}.tmp`, file);
    } catch (error) {
      made = undefined; // somebody may have removed it: the next attempt makes it again
      throw error;
    }
  }
  return {
    async send(mail) {
      const { message } = await transport.sendMail(compose(options.from, mail));
      const file = join(options.directory, `${mail.id}.eml`);
      await keep(file, message);
      options.log({ to: mail.to, subject: mail.subject, file });
    },
  };
}
