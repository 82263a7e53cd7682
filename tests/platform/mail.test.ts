import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { simpleParser } from 'mailparser';
import { expect, onTestFinished, test } from 'vitest';
import { createFileMailer } from '../../src/platform/mail/files.ts';
import { FROM, mail } from '../support/mail-servers.ts';

test('a file mailer keeps a mail that a mail program can open, for the owner alone', async () => {
  const parent = await mkdtemp(join(tmpdir(), 'tenantry-mail-'));
  onTestFinished(() => rm(parent, { recursive: true }));
  const directory = join(parent, 'mail');
  const lines: object[] = [];
  const mailer = createFileMailer({ directory, from: FROM, log: (line) => lines.push(line) });
  await mailer.send(mail);
  await mailer.send(mail); // a retry is the same file
  const file = join(directory, `${mail.id}.eml`);
  expect(await readdir(directory)).toEqual([`${mail.id}.eml`]);
  const parsed = await simpleParser(await readFile(file));
  expect(parsed).toMatchObject({
    subject: mail.subject,
    text: mail.text,
    html: expect.stringContaining(mail.html),
    messageId: `<${mail.id}@tenantry>`,
  });
  for (const path of [directory, file]) expect((await stat(path)).mode & 0o077, path).toBe(0);
  const line = { to: mail.to, subject: mail.subject, file };
  expect(lines, 'no content in the log').toEqual([line, line]);
  await rm(directory, { recursive: true });
  await mailer.send(mail);
  expect(await readdir(directory), 'made again').toEqual([`${mail.id}.eml`]);
});
