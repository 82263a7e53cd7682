import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { issueLink } from '../../src/domain/email-link/index.ts';
import type { Notice } from '../../src/domain/job/index.ts';
import type { Mail } from '../../src/domain/mail.ts';
import { noticeMail } from '../../src/domain/notice/index.ts';
import { renderMail } from '../../src/kernel/mail-text.ts';
import { createSmtpMailer } from '../../src/platform/mail/smtp.ts';
import { invite, mailTo } from '../api/stage.ts';
import { createHarness, type Harness } from '../support/harness.ts';
import { FROM, smtpServer } from '../support/mail-servers.ts';

/* What the mails say, and that what people call themselves stays text in them. */

const HOSTILE = `<script>alert("1")</script> & 'Co'\r\nBcc: eve@example.org \u202Egnp.exe\u2066 =?utf-8?Q?=0D=0AX:?=`;
/** In one line, in the order in which it was written. */
const TAMED = `<script>alert("1")</script> & 'Co' Bcc: eve@example.org gnp.exe =?utf-8?Q?=0D=0AX:?=`;

const ENTITY = /&#(\d+);/g;
/** What a mail program shows of HTML, paragraph by paragraph. */
const shown = (html: string): string =>
  html
    .replace(/<head>[\s\S]*<\/head>/, '')
    .replace(/<[^>]*>/g, '')
    .replace(ENTITY, (_, code: string) => String.fromCharCode(Number(code)));

/** A whole document without anything active, which says all that the text says. */
function expectSound({ subject, text, html }: Pick<Mail, 'subject' | 'text' | 'html'>) {
  expect(html).toMatch(
    /^<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">[\s\S]*<\/head>\n<body[\s\S]*<\/body>\n<\/html>\n$/,
  );
  expect(html).toContain(`<title>${subject.replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`)}</title>`);
  expect(new Set(html.match(/<\/?[a-z]+/g))).toEqual(
    new Set([...(html.match(/<\/?(?:html|head|meta|title|body|div|p|a)\b/g) ?? [])]),
  );
  expect(subject).not.toMatch(/\p{Cc}|=\?/u);
  for (const part of [subject, text, html])
    expect(part).not.toMatch(/[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/);
  const seen = shown(html);
  for (const line of text.split('\n').filter((part) => part !== ''))
    expect(seen).toContain(line.replace(/:$/, ''));
}

const at = '2026-01-31T09:30:15.000Z';
/** One of each kind: the type asks for them all. */
const NOTICES: { [K in Notice['kind']]: [Extract<Notice, { kind: K }>, string] } = {
  signIn: [
    { kind: 'signIn', at, ipAddress: '192.0.2.7', userAgent: HOSTILE },
    `from 192.0.2.7 with ${TAMED}`,
  ],
  passwordChanged: [{ kind: 'passwordChanged', at }, 'password of your account was changed'],
  emailChangeAsked: [{ kind: 'emailChangeAsked', at, newEmail: HOSTILE }, TAMED],
  emailChanged: [{ kind: 'emailChanged', at, newEmail: HOSTILE }, TAMED],
  twoFactorEnabled: [{ kind: 'twoFactorEnabled', at }, 'needs a code'],
  twoFactorDisabled: [{ kind: 'twoFactorDisabled', at }, 'password alone'],
  recoveryCodeUsed: [{ kind: 'recoveryCodeUsed', at, left: 7 }, 'Codes left: 7.'],
  suspended: [{ kind: 'suspended', at, reason: HOSTILE }, `Reason: ${TAMED}`],
  unsuspended: [{ kind: 'unsuspended', at }, 'was lifted'],
  deleted: [{ kind: 'deleted', at }, 'was deleted'],
};

describe('notices', () => {
  test.each(Object.entries(NOTICES))('%s says what happened and when', (_kind, [notice, says]) => {
    const mail = noticeMail('id', { to: 'ada@example.org', notice });
    expectSound(mail);
    expect(mail).toMatchObject({ id: 'id', to: 'ada@example.org' });
    expect(mail.text).toContain(says);
    expect(mail.text).toContain('2026-01-31 09:30 UTC');
  });

  test('say so when a suspension has no reason, and a sign-in no origin', () => {
    const of = (notice: Notice) => noticeMail('id', { to: 'ada@example.org', notice }).text;
    expect(of({ kind: 'suspended', at, reason: null })).not.toContain('Reason');
    expect(of({ kind: 'signIn', at, ipAddress: null, userAgent: null })).toContain(
      'from an unknown address with an unknown program.',
    );
    const long = of({ kind: 'signIn', at, ipAddress: null, userAgent: 'x'.repeat(1000) });
    expect(long).toContain(`with ${'x'.repeat(200)}.`);
  });
});

describe('links and invitations', () => {
  let h: Harness;
  beforeAll(async () => {
    h = await createHarness();
    await h.app.jobs.stop();
  });
  afterAll(() => h[Symbol.asyncDispose]());

  const PAGES: Record<Parameters<typeof issueLink>[2]['purpose'], string> = {
    verify: 'verify-email',
    change: 'verify-email',
    reset: 'reset-password',
  };

  test.each(Object.entries(PAGES))('the link to %s leads to /%s and names nobody', async (purpose, page) => {
    const user = await h.user({ name: HOSTILE });
    const email = `new-${user.email}`;
    await h.app.deps.db.transaction((tx) =>
      issueLink(tx, h.app.deps, { userId: user.id, purpose: purpose as keyof typeof PAGES, email }),
    );
    const mail = await mailTo(h, email);
    expectSound(mail);
    expect(mail.text).toMatch(new RegExp(`\\nhttp://localhost:3000/${page}\\?token=[\\w-]{43}\\n`));
    expect(mail.text).toContain(email);
    expect(mail.text).not.toContain('script');
  });

  test('an invitation says who invites, whereto, as what and how long', async () => {
    const organization = await h.organization(await h.user({ name: HOSTILE }));
    await h.sql`update organizations set name = ${HOSTILE} where id = ${organization.id}`;
    const { email } = await invite(organization.owner, organization.id);
    const mail = await mailTo(h, email);
    expectSound(mail);
    expect(mail.subject).toBe(`Invitation to ${TAMED.replaceAll('=?', '= ?')}`);
    expect(mail.text).toContain(`${TAMED} invites you to join ${TAMED} as member.`);
    expect(mail.text).toMatch(/until \d{4}-\d\d-\d\d \d\d:\d\d UTC, and only for /);
    const { url, received } = await smtpServer();
    await createSmtpMailer({ url, from: FROM }).send(mail);
    expect(received[0]).toMatchObject({
      recipients: [email],
      mail: { subject: mail.subject, text: mail.text },
    });
  });
});

test('a link in a mail is escaped where it is HTML', () => {
  const url = 'https://panel.example.org/x?a=1&b="2"';
  const { html, text } = renderMail({ subject: 's', paragraphs: ['p'], action: { label: '<b>', url } });
  expect(text).toBe(`p\n\n<b>:\n${url}\n`);
  expect(html.match(/href="([^"]*)"/g)).toEqual(
    Array(2).fill('href="https://panel.example.org/x?a=1&#38;b=&#34;2&#34;"'),
  );
  expect(html).toContain('&#60;b&#62;</a>');
});
