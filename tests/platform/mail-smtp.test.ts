import { describe, expect, test } from 'vitest';
import { MailRefused } from '../../src/domain/mail.ts';
import { createSmtpMailer } from '../../src/platform/mail/smtp.ts';
import { FROM, failureOf, mail, refusal, smtpServer, TOKEN, tcpServer } from '../support/mail-servers.ts';

const send = (url: string, changes: Partial<typeof mail> = {}) =>
  createSmtpMailer({ url, from: FROM }).send({ ...mail, ...changes });

describe('a mail', () => {
  test('arrives as it was written, in text and HTML', async () => {
    const { url, received } = await smtpServer();
    await send(url);
    const [arrived] = received;
    expect(received).toHaveLength(1);
    expect(arrived?.recipients).toEqual([mail.to]);
    expect(arrived?.mail).toMatchObject({
      subject: mail.subject,
      text: mail.text,
      messageId: `<${mail.id}@tenantry>`,
      from: { value: [{ name: 'Tenantry', address: 'no-reply@example.org' }] },
      to: { value: [{ address: mail.to }] },
    });
    expect(String(arrived?.mail.html).trim()).toBe(mail.html);
    expect(arrived?.mail.headers.get('auto-submitted')).toBe('auto-generated');
  });

  test('keeps its Message-ID over retries', async () => {
    const { url, received } = await smtpServer();
    await send(url);
    await send(url);
    expect(received.map((each) => each.mail.messageId)).toEqual(Array(2).fill(`<${mail.id}@tenantry>`));
  });

  test.each([
    ['emoji and other scripts', 'Grüße an 東京 🚀 مرحبا'],
    ['a long name', `Invitation to ${'Donaudampfschifffahrtsgesellschaft '.repeat(6).trim()}`],
  ])('carries a subject of %s', async (_kind, subject) => {
    const { url, received } = await smtpServer();
    await send(url, { subject });
    expect(received[0]?.mail.subject).toBe(subject);
  });

  test('carries lines that are longer than a line of SMTP, and lines of one dot', async () => {
    const { url, received } = await smtpServer();
    const text = `${'x'.repeat(5000)}\n.\n..\nFrom here\n`;
    await send(url, { text, html: `<p>${'ü'.repeat(3000)}</p>` });
    expect(received[0]?.mail.text).toBe(text);
    expect(received[0]?.mail.html).toContain('ü'.repeat(3000));
  });

  test('takes no header from its subject', async () => {
    const { url, received } = await smtpServer();
    await send(url, { subject: 'Hello\r\nBcc: eve@example.org\r\n\r\nBody' });
    expect(received[0]?.recipients).toEqual([mail.to]);
    expect(received[0]?.mail.headers.has('bcc')).toBe(false);
    expect(received[0]?.mail.text).toBe(mail.text);
  });

  test.each([
    'ada@example.org, eve@example.org',
    'ada@example.org\r\nRCPT TO:<eve@example.org>',
    'Eve <eve@example.org>, ada@example.org',
    '"ada@example.org,eve"@example.org',
    'ada@example.org> SIZE=1\r\nDATA',
    'team: ada@example.org, eve@example.org;',
  ])('goes to no second recipient by the address %j', async (to) => {
    const { url, received } = await smtpServer();
    await send(url, { to }).catch(() => {});
    const recipients = received.flatMap((each) => each.recipients);
    expect(recipients.length).toBeLessThanOrEqual(1);
    expect(recipients).not.toContain('eve@example.org');
  });
});

describe('a server that refuses', () => {
  test('the recipient for good is not asked again', async () => {
    const { url } = await smtpServer({
      onRcptTo: (_to, _session, done) => done(refusal(550, 'no such user')),
    });
    const error = await failureOf(send(url));
    expect(error).toBeInstanceOf(MailRefused);
    expect(error.message).toContain('550 no such user');
  });

  test.each([
    [451, 'greylisted'],
    [452, 'mailbox full'],
    [530, 'sign in first'],
    [550, '5.7.1 relaying denied'],
  ])('the recipient with %i %s is asked again', async (code, text) => {
    const { url } = await smtpServer({ onRcptTo: (_to, _session, done) => done(refusal(code, text)) });
    const error = await failureOf(send(url));
    expect(error).not.toBeInstanceOf(MailRefused);
    expect(error.message).toContain(`${code} ${text}`);
  });

  test('the sender is asked again: that is a setting', async () => {
    const { url } = await smtpServer({
      onMailFrom: (_from, _session, done) => done(refusal(553, 'not your address')),
    });
    expect(await failureOf(send(url))).not.toBeInstanceOf(MailRefused);
  });

  test.each([
    [554, true],
    [451, false],
  ])('the message with %i: final is %s, and what it quotes of the mail is hidden', async (code, final) => {
    const quoting = refusal(code, `blocked https://panel/invitation?token=${TOKEN}`);
    const { url } = await smtpServer({}, () => quoting);
    const error = await failureOf(send(url));
    expect(error instanceof MailRefused).toBe(final);
    expect(error.message).toContain(`${code} blocked https://panel/invitation?token=…`);
    expect(JSON.stringify({ ...error, stack: error.stack })).not.toContain(TOKEN);
  });

  test.each(['LOGIN', 'PLAIN'])('the login by %s is asked again, and no password is told', async (method) => {
    const password = 'p@ss:wörd';
    const { url } = await smtpServer({
      authOptional: false,
      allowInsecureAuth: true,
      authMethods: [method],
      onAuth: ({ username, password: given }, _session, done) => {
        const base64 = [`${given}`, `\0${username}\0${given}`].map((text) =>
          Buffer.from(text).toString('base64'),
        );
        done(refusal(535, `${username} is not ${given} ${base64.join(' ')}`));
      },
    });
    const withLogin = url.replace('//', `//tenantry:${encodeURIComponent(password)}@`);
    for (const error of [
      await failureOf(send(withLogin)),
      await failureOf(createSmtpMailer({ url: withLogin, from: FROM }).check()),
    ]) {
      expect(error).not.toBeInstanceOf(MailRefused);
      expect(error.message).toMatch(/535 tenantry is not … … …$/);
      const everything = JSON.stringify({ ...error, stack: error.stack });
      expect(everything).not.toContain(password);
      expect(everything).not.toContain(Buffer.from(password).toString('base64'));
    }
  });
});

describe('a server that stalls', () => {
  const patience = { connect: 5_000, answer: 5_000, delivery: 30_000 };
  const impatient = (url: string, changes: Partial<typeof patience>) =>
    failureOf(createSmtpMailer({ url, from: FROM, patience: { ...patience, ...changes } }).send(mail));

  test('before its greeting is left', async () => {
    const port = await tcpServer(() => {});
    expect((await impatient(`smtp://127.0.0.1:${port}`, { connect: 100 })).message).toMatch(/greeting/i);
  });

  test('after the message is left', async () => {
    const { url } = await smtpServer({}, () => 'stall');
    expect((await impatient(url, { answer: 300 })).message).toMatch(/timeout/i);
  });

  test('by always saying a little more is left, too', async () => {
    const port = await tcpServer((socket) => {
      socket.write('220 hello\r\n');
      const timer = setInterval(() => socket.write('250-and more\r\n'), 20);
      socket.on('close', () => clearInterval(timer));
    });
    const error = await impatient(`smtp://127.0.0.1:${port}`, { delivery: 400 });
    expect(error.message).toBe('The SMTP server did not take the mail in 400 ms.');
  });
});

describe('a connection', () => {
  test('that ends at once is tried again', async () => {
    const port = await tcpServer((socket) => void socket.destroy());
    const error = await failureOf(send(`smtp://127.0.0.1:${port}`));
    expect(error.message).toMatch(/closed|ECONNRESET/);
    expect(error).not.toBeInstanceOf(MailRefused);
  });

  test('that ends in the middle of the message is tried again', async () => {
    const { url, hangUp, received } = await smtpServer({
      onData: (stream) => void stream.once('data', hangUp),
    });
    const error = await failureOf(send(url, { text: 'x'.repeat(2_000_000) }));
    expect(error).not.toBeInstanceOf(MailRefused);
    expect(received).toEqual([]);
  });

  test('without TLS is refused where TLS is asked for', async () => {
    const { url, received } = await smtpServer();
    await failureOf(send(url.replace('smtp:', 'smtps:')));
    await failureOf(send(`${url}?requireTLS=true`));
    expect(received).toEqual([]);
  });

  test('with a certificate that nobody vouches for is refused, by TLS and by STARTTLS', async () => {
    const secure = await smtpServer({ secure: true });
    const upgraded = await smtpServer({ disabledCommands: [] });
    for (const url of [secure.url.replace('smtp:', 'smtps:'), upgraded.url]) {
      expect((await failureOf(send(url))).message).toMatch(/certificate/);
    }
    expect([...secure.received, ...upgraded.received]).toEqual([]);
  });
});
