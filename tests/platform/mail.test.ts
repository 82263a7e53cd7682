import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { createServer, type IncomingMessage } from 'node:http';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ParsedMail, simpleParser } from 'mailparser';
import { SMTPServer } from 'smtp-server';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { Mail } from '../../src/domain/mail.ts';
import { createFileMailer } from '../../src/platform/mail/files.ts';
import { createResendMailer } from '../../src/platform/mail/resend.ts';
import { createSmtpMailer } from '../../src/platform/mail/smtp.ts';

const FROM = 'Tenantry <no-reply@example.org>';
const mail: Mail = {
  id: '019a9c1e-5b7a-7cc3-9d2e-0f4a8b6c1d20',
  to: 'ada@example.org',
  subject: 'Invitation to Ärzte & Söhne',
  text: 'Come in.\n\nhttps://panel.example.org/invitation?token=abc\n',
  html: '<p>Come in.</p>',
};

test('a file mailer keeps a mail that a mail program can open, for the owner alone', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'tenantry-mail-'));
  onTestFinished(() => rm(directory, { recursive: true }));
  const lines: object[] = [];
  await createFileMailer({ directory, from: FROM, log: (line) => lines.push(line) }).send(mail);
  const file = join(directory, `${mail.id}.eml`);
  expect(await readdir(directory)).toEqual([`${mail.id}.eml`]);
  const parsed = await simpleParser(await readFile(file));
  expect(parsed).toMatchObject({
    subject: mail.subject,
    text: mail.text,
    messageId: `<${mail.id}@tenantry>`,
  });
  expect((await stat(file)).mode & 0o077).toBe(0);
  expect(lines).toEqual([{ to: mail.to, subject: mail.subject, file }]);
});

describe('SMTP', () => {
  async function listen(options: ConstructorParameters<typeof SMTPServer>[0]): Promise<string> {
    const server = new SMTPServer({ authOptional: true, disabledCommands: ['STARTTLS'], ...options });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => new Promise<void>((resolve) => server.close(resolve)));
    return `smtp://127.0.0.1:${(server.server.address() as AddressInfo).port}`;
  }

  test('delivers the mail as it was written', async () => {
    const received: ParsedMail[] = [];
    const url = await listen({
      onData: (stream, _session, done) => {
        simpleParser(stream).then((parsed) => {
          received.push(parsed);
          done();
        }, done);
      },
    });
    await createSmtpMailer({ url, from: FROM }).send(mail);
    expect(received).toMatchObject([
      { subject: mail.subject, text: mail.text, messageId: `<${mail.id}@tenantry>` },
    ]);
  });

  test('a server that refuses the address makes the job fail', async () => {
    const url = await listen({ onRcptTo: (_address, _session, done) => done(new Error('no such user')) });
    await expect(createSmtpMailer({ url, from: FROM }).send(mail)).rejects.toThrow(/no such user/);
  });

  test('a server that hangs up makes the job fail', async () => {
    const server = createTcpServer((socket) => socket.destroy());
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => new Promise<void>((resolve) => server.close(() => resolve())));
    const url = `smtp://127.0.0.1:${(server.address() as AddressInfo).port}`;
    await expect(createSmtpMailer({ url, from: FROM }).send(mail)).rejects.toThrow();
  });
});

describe('Resend', () => {
  /** Speaks Resend's `POST /emails`, as documented. */
  async function listen(status: number, reply: object) {
    const requests: { headers: IncomingMessage['headers']; body: unknown }[] = [];
    const server = createServer(async (request, response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk);
      requests.push({ headers: request.headers, body: JSON.parse(Buffer.concat(chunks).toString()) });
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(reply));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => new Promise<void>((resolve) => server.close(() => resolve())));
    return { requests, baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
  }

  test('sends the mail with its id as the idempotency key', async () => {
    const { requests, baseUrl } = await listen(200, { id: 'e1' });
    await createResendMailer({ apiKey: 're_test', from: FROM, baseUrl }).send(mail);
    const { id, to, subject, text, html } = mail;
    expect(requests[0]?.body).toMatchObject({ from: FROM, to, subject, text, html });
    expect(requests[0]?.headers).toMatchObject({ 'idempotency-key': id, authorization: 'Bearer re_test' });
  });

  test('a refusal makes the job fail and says why', async () => {
    const { baseUrl } = await listen(422, { name: 'validation_error', message: 'Invalid `to` field.' });
    await expect(createResendMailer({ apiKey: 're_test', from: FROM, baseUrl }).send(mail)).rejects.toThrow(
      /Invalid `to` field/,
    );
  });
});
